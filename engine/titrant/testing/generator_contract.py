"""What every generator must do, as a test class.

Subclass it and give it the fixture ``generator``; say in ``node`` which node it stands for, and set ``positional``
where its points are those of a sequence::

    class TestMyGenerator(GeneratorContract):
        @pytest.fixture
        def generator(self):
            return MyGenerator()
"""

# ruff: noqa: D102 (a test's name is its sentence)

from __future__ import annotations

from typing import ClassVar

import pytest
from msgspec.structs import replace

from titrant.generators.base import Generator, Point, Reply, Request
from titrant.model.experiment import Node
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    RangeParameterConfig,
    SearchSpace,
    search_space,
)
from titrant.model.trial import Parameterization

_X = RangeParameterConfig("x", (0.0, 1.0))
_Y = RangeParameterConfig("y", (-5.0, 10.0))
_RATE = RangeParameterConfig("rate", (1e-4, 1.0), scaling="log")
_CYCLES = RangeParameterConfig("cycles", (1, 1000), "int", scaling="log")
_COUNT = RangeParameterConfig("count", (1, 6), "int")
_STEPPED = RangeParameterConfig("stepped", (0.0, 1.0), step_size=0.05)
_SOLVENT = ChoiceParameterConfig("solvent", ("water", "ethanol", "toluene"))
_GRADE = ChoiceParameterConfig("grade", (0.5, 0.1, 2.0), "float")
_SWITCH = ChoiceParameterConfig("switch", (True, False), "bool")
_LIGAND = ChoiceParameterConfig(
    "ligand",
    ("a", "b", "c", "d"),
    descriptors={
        name: {"cone": cone, "bite": bite}
        for name, cone, bite in zip("abcd", (98, 145, 118, 170), (1, 2, 2, 1), strict=True)
    },
)
_MODE = ChoiceParameterConfig(
    "mode", ("batch", "flow"), dependent_parameters={"batch": ["x"], "flow": ["a", "b", "pump"]}
)
_PUMP = ChoiceParameterConfig("pump", ("syringe", "hplc", "gear"), dependent_parameters={"gear": ["count"]})
_OPERATOR = FixedParameterConfig("operator", "robot")
_PARTS = [RangeParameterConfig(name, (0.0, 1.0)) for name in "abc"]
_STEPPED_PARTS = [RangeParameterConfig(name, (0.0, 1.0), step_size=0.1) for name in "abc"]

SPACES: dict[str, SearchSpace] = {
    "floats": search_space([_X, _Y]),
    "log": search_space([_RATE, _CYCLES]),
    "mixed": search_space([_X, _COUNT, _STEPPED, _SOLVENT, _GRADE, _SWITCH, _OPERATOR]),
    "inequality": search_space([_X, _Y, _COUNT], ["x + y <= 1", "count - 2*x >= 2"]),
    "mixture": search_space([*_PARTS, _SOLVENT], ["a + b + c == 1"]),
    "stepped mixture": search_space(_STEPPED_PARTS, ["a + b + c == 1", "a <= 0.5"]),
    "described": search_space([_LIGAND, _X]),
    "conditional": search_space(
        [_MODE, _X, *_PARTS[:2], _PUMP, _COUNT, _Y], ["a + b == 1", "x + y <= 1", "count >= 3"]
    ),
    "components": search_space(_PARTS, ["a + b + c == 1", "at most 2 of a, b, c, each 0 or >= 0.1"]),
    "formula": search_space([_X, _Y, _COUNT], ["count*x <= 2", "x**2 + exp(-y) <= 0.5"]),
    "candidates": search_space(
        [_X, _SOLVENT], candidates=[{"x": i / 40, "solvent": _SOLVENT.values[i % 3]} for i in range(41)]
    ),
    "narrow": search_space([*_PARTS, _RATE], ["a + b + c <= 1.02", "a + b + c >= 0.98", "a - b >= 0.3"]),
}
"""One of each kind of space that a generator must cope with."""


def requested(space: SearchSpace, node: Node, **changes: object) -> Request:
    """Give a request with an objective and eight observed trials, made by the Sobol node's rules of evenness."""
    observed = tuple(
        Point(index, parameters, (Observation("response", _response(parameters), 0.1 if index % 2 else None),))
        for index, parameters in enumerate(_spread(space, 8))
    )
    given = Request(
        space=space, node=node, optimization=optimization_config("response"), observed=observed, count=3, seed=7
    )
    return replace(given, **changes)


def _spread(space: SearchSpace, count: int) -> list[Parameterization]:
    from titrant.generators import sobol  # noqa: PLC0415 - numpy, when a test runs and not when this is imported

    reply = sobol.suggest(Request(space=space, count=count, seed=3))
    return [proposal.parameters for proposal in reply.proposals]


def _response(parameters: Parameterization) -> float:
    """Something smooth with a best point inside."""
    return -sum((float(len(v) if isinstance(v, str) else v) - 0.3) ** 2 for v in parameters.values())


def _made(reply: Reply) -> list[Parameterization]:
    return [proposal.parameters for proposal in reply.proposals]


class GeneratorContract:
    """The tests; every one needs the fixture ``generator``."""

    node: ClassVar[Node] = "sobol"
    positional: ClassVar[bool] = False

    @pytest.fixture(params=sorted(SPACES))
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        """Each of the spaces in turn."""
        return SPACES[request.param]

    @pytest.fixture
    def generator(self) -> Generator:
        """Give the generator under test."""
        raise NotImplementedError("give this fixture in the subclass")

    def test_it_makes_as_many_suggestions_as_asked_for(self, generator: Generator, space: SearchSpace) -> None:
        reply = generator.suggest(requested(space, self.node))

        assert len(reply.proposals) == 3
        assert reply.short_reason is None

    def test_every_suggestion_is_canonical_and_fits_the_space(self, generator: Generator, space: SearchSpace) -> None:
        for parameters in _made(generator.suggest(requested(space, self.node))):
            checked = space.check(parameters)

            assert list(parameters.items()) == list(checked.items())
            assert [type(value) for value in parameters.values()] == [type(value) for value in checked.values()]

    def test_the_same_request_has_the_same_answer(self, generator: Generator, space: SearchSpace) -> None:
        request = requested(space, self.node)

        assert generator.suggest(request) == generator.suggest(request)

    def test_suggestions_of_one_request_differ(self, generator: Generator, space: SearchSpace) -> None:
        signatures = [space.signature(made) for made in _made(generator.suggest(requested(space, self.node)))]

        assert len(set(signatures)) == len(signatures)

    def test_values_held_fixed_are_kept(self, generator: Generator) -> None:
        held: Parameterization = {"solvent": "toluene", "count": 4}
        request = requested(SPACES["mixed"], self.node, fixed=held)

        assert all(made.items() >= held.items() for made in _made(generator.suggest(request)))

    def test_the_request_is_left_as_it_was(self, generator: Generator, space: SearchSpace) -> None:
        request = requested(space, self.node, fixed={})
        generator.suggest(request)

        assert request == requested(space, self.node, fixed={})

    def test_points_under_way_are_not_suggested_again_in_a_finite_space(self, generator: Generator) -> None:
        space = search_space([_COUNT, _SWITCH])
        every: list[Parameterization] = [
            {"count": count, "switch": switch} for count in range(1, 7) for switch in (True, False)
        ]
        pending = tuple(Point(index, parameters) for index, parameters in enumerate(every[:11], start=8))
        reply = generator.suggest(requested(space, self.node, pending=pending, observed=(), count=1))

        assert _made(reply) == [every[11]]

    def test_a_used_up_space_gives_fewer_suggestions_and_a_reason(self, generator: Generator) -> None:
        space = search_space([_COUNT])
        taken = tuple({"count": count} for count in range(1, 6))
        reply = generator.suggest(requested(space, self.node, taken=taken, observed=()))

        assert _made(reply) == [{"count": 6}]
        assert reply.short_reason

    def test_one_by_one_gives_the_same_points_as_all_at_once(self, generator: Generator, space: SearchSpace) -> None:
        if not self.positional:
            pytest.skip("its points are not those of a sequence")
        together = generator.suggest(requested(space, self.node, count=6)).proposals
        position = 0
        taken: tuple[Parameterization, ...] = ()
        for expected in together:
            (proposal,) = generator.suggest(
                requested(space, self.node, count=1, position=position, taken=taken)
            ).proposals
            position, taken = proposal.position, (*taken, proposal.parameters)

            assert proposal == expected

    def test_positions_grow(self, generator: Generator, space: SearchSpace) -> None:
        if not self.positional:
            pytest.skip("its points are not those of a sequence")
        positions = [p.position for p in generator.suggest(requested(space, self.node, position=5)).proposals]

        assert positions == sorted(set(positions))
        assert positions[0] > 5
