"""The built-in generators keep the contract that everyone's must keep."""

import pytest

from titrant.generators import centre, dispatch, sobol
from titrant.testing.generator_contract import SPACES, GeneratorContract


class TestSobol(GeneratorContract):
    positional = True

    @pytest.fixture
    def generator(self):
        return sobol


class TestCentre(GeneratorContract):
    node = "centre"

    @pytest.fixture
    def generator(self):
        return centre


class TestBayesianOptimization(GeneratorContract):
    node = "bo"

    # One of each way to search: gradients, lists, planes, mending; the other spaces only take time.
    @pytest.fixture(params=["floats", "mixed", "inequality", "stepped mixture"])
    def space(self, request):
        return SPACES[request.param]

    @pytest.fixture
    def generator(self):
        return dispatch
