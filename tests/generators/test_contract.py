"""The built-in generators keep the contract that everyone's must keep."""

import pytest
from msgspec.structs import replace

from titrant.generators import centre, dispatch, sobol
from titrant.generators.base import Design
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


class TestRandom(GeneratorContract):
    node = "random"
    positional = True

    @pytest.fixture
    def generator(self):
        return dispatch


class TestGrid(TestRandom):
    node = "grid"


class TestLatinHypercube(GeneratorContract):
    node = "latin_hypercube"
    positional = True

    @pytest.fixture
    def generator(self):
        return OfFive()


class OfFive:
    """Latin hypercubes of five points, whatever is asked for at once: as a strategy's are of one size."""

    def suggest(self, request):
        return dispatch.suggest(replace(request, design=Design(size=5)))


class TestBayesianOptimization(GeneratorContract):
    node = "bo"

    # One of each way to search: gradients, lists, planes, mending; the other spaces only take time.
    @pytest.fixture(params=["floats", "mixed", "inequality", "stepped mixture"])
    def space(self, request):
        return SPACES[request.param]

    @pytest.fixture
    def generator(self):
        return dispatch
