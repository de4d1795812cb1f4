"""Random search spaces for the tests of the generators."""

from itertools import product

from hypothesis import strategies as st

from titrant.model.restrictions import Cardinality
from titrant.model.space import ChoiceParameterConfig, LinearConstraint, RangeParameterConfig, search_space


@st.composite
def parameters(draw, name):
    kind = draw(st.sampled_from(["float", "log", "int", "step", "ordered", "names"]))
    low = draw(st.integers(-20, 20))
    span = draw(st.integers(1, 40))
    match kind:
        case "float":
            return RangeParameterConfig(name, (low / 4, (low + span) / 4))
        case "log":
            return RangeParameterConfig(name, (10.0 ** (low / 5), 10.0 ** ((low + span) / 5)), scaling="log")
        case "int":
            return RangeParameterConfig(name, (low, low + span), "int")
        case "step":
            return RangeParameterConfig(
                name, (low / 10, (low + span) / 10), step_size=draw(st.sampled_from([0.1, 0.05]))
            )
        case "ordered":
            return ChoiceParameterConfig(
                name, tuple(float(low + k * k) for k in range(draw(st.integers(1, 5)))), "float"
            )
        case _:
            return ChoiceParameterConfig(name, tuple("abcde"[: draw(st.integers(1, 5))]))


@st.composite
def spaces(draw):
    """Spaces of one to six parameters with up to three constraints that one of their points keeps."""
    configs = [draw(parameters(f"p{i}")) for i in range(draw(st.integers(1, 6)))]
    numeric = [config for config in configs if config.interval is not None]
    inside = {config.name: draw(_allowed(config)) for config in numeric}
    constraints = []
    for number in range(draw(st.integers(0, 3)) if numeric else 0):
        chosen = draw(st.lists(st.sampled_from(numeric), min_size=1, max_size=4, unique_by=lambda config: config.name))
        terms = tuple((config.name, float(draw(st.sampled_from([-2, -1, 1, 1, 3])))) for config in chosen)
        total = sum(weight * float(inside[name]) for name, weight in terms)
        relation = draw(st.sampled_from(["<=", ">=", "=="]))
        slack = draw(st.sampled_from([0.0, 0.1, 2.0])) * {"<=": 1, ">=": -1, "==": 0}[relation]
        constraints.append(LinearConstraint(f"constraint {number}", terms, relation, total + slack))
    return search_space(configs, constraints)


@st.composite
def mixtures(draw):
    """Mixtures of two to nine components, a restricted number of them present, that one recipe keeps."""
    names = [f"c{i}" for i in range(draw(st.integers(2, 9)))]
    total = draw(st.sampled_from([1.0, 100.0, 2.5]))
    step = draw(st.sampled_from([None, None, total / 20]))
    there = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    shares = [1 + draw(st.integers(0, 5)) for _ in there]
    parts = [round(20 * share / sum(shares)) or 1 for share in shares]
    parts[parts.index(max(parts))] += 20 - sum(parts)
    recipe = {name: part * total / 20 for name, part in zip(there, parts, strict=True)}
    configs = [
        RangeParameterConfig(
            name,
            (0.0, min(total, max(recipe.get(name, 0.0), draw(st.sampled_from([0.3, 0.5, 1.0])) * total))),
            step_size=step,
        )
        for name in names
    ]
    least = draw(st.sampled_from([0, 0, 1, len(there)]))
    most = draw(st.integers(len(there), len(names)))
    minimum = draw(st.sampled_from([0.0, 0.0, total / 20, min(recipe.values())]))
    counted = Cardinality(f"{least} to {most} of them, each 0 or >= {minimum}", tuple(names), most, least, minimum)
    sums = LinearConstraint("all", tuple((name, 1.0) for name in names), "==", total)
    others = draw(st.sampled_from([[], [RangeParameterConfig("t", (20.0, 90.0))]]))
    return search_space([*configs, *others], [sums, counted] if draw(st.booleans()) else [counted])


def _allowed(config):
    if isinstance(config, ChoiceParameterConfig):
        return st.sampled_from(config.values)
    low, high = config.interval
    # Nine digits: nobody asks for 6e-24, and no sum is exact to 1e-8 of that.
    return st.floats(low, high).map(lambda number: config.nearest(float(f"{number:.9f}")))


@st.composite
def few_values(draw, name):
    """A parameter with at most five values, all of them numbers."""
    low = draw(st.integers(-3, 3))
    match draw(st.sampled_from(["int", "step", "choice"])):
        case "int":
            return RangeParameterConfig(name, (low, low + draw(st.integers(1, 4))), "int")
        case "step":
            return RangeParameterConfig(name, (low / 10, low / 10 + 0.4), step_size=0.2)
        case _:
            values = draw(st.lists(st.integers(-4, 4), min_size=1, max_size=4, unique=True))
            return ChoiceParameterConfig(name, tuple(values), "int")


def every_point(configs):
    """All combinations of the values of such parameters."""
    values = [
        one.values
        if isinstance(one, ChoiceParameterConfig)
        else tuple(one.grid.at(k) for k in range(one.grid.steps + 1))
        for one in configs
    ]
    names = [one.name for one in configs]
    return (dict(zip(names, row, strict=True)) for row in product(*values))
