"""The built-in generators keep the contract that everyone's must keep."""

import pytest

from titrant.generators import centre, dispatch, sobol
from titrant.testing.generator_contract import GeneratorContract


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

    @pytest.fixture
    def generator(self):
        return dispatch
