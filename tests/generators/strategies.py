"""Random search spaces for the tests of the generators."""

from hypothesis import strategies as st

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


def _allowed(config):
    if isinstance(config, ChoiceParameterConfig):
        return st.sampled_from(config.values)
    low, high = config.interval
    return st.floats(low, high).map(config.nearest)
