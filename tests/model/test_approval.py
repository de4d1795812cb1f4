"""Approval rules: what they say, to which trials they apply, who may decide."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import ConfigurationError
from titrant.model.approval import ApprovalPolicy, ApprovalRule, may_decide
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, RangeParameterConfig, search_space

SPACE = search_space(
    [
        RangeParameterConfig("temperature", (0.0, 200.0)),
        RangeParameterConfig("pH (25 C)", (2.0, 12.0)),
        RangeParameterConfig("steps", (1, 10), parameter_type="int"),
        ChoiceParameterConfig("solvent", ("water", "DMF")),
        ChoiceParameterConfig("stirred", (True, False), parameter_type="bool"),
        FixedParameterConfig("vessel", "flask"),
    ]
)
WARM = {"temperature": 90.0, "pH (25 C)": 7.0, "steps": 3, "solvent": "DMF", "stirred": True, "vessel": "flask"}


def applies(when="", parameters=WARM, place=0, proposer="generator", **conditions):
    """Whether a rule applies to a trial."""
    return ApprovalRule(when=when, **conditions).applies(parameters, place=place, proposer=proposer)


# --- conditions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("temperature > 80", True),
        ("temperature>80", True),
        ("80 < temperature", True),
        ("temperature > 90", False),
        ("temperature >= 90", True),
        ("temperature ≥ 90", True),
        ("temperature <= 90", True),
        ("temperature < 90", False),
        ("temperature == 90", True),
        ("temperature = 90", True),
        ("temperature != 90", False),
        ("temperature ≠ 80", True),
        ("2*temperature - 10*steps > 149", True),
        ("temperature > 30*steps", False),
        ("100 - temperature > 10*steps", False),
        ("`pH (25 C)` == 7", True),
        ("solvent == 'DMF'", True),
        ('"DMF" == solvent', True),
        ("solvent != 'DMF'", False),
        ("stirred == true", True),
        ("stirred != False", True),
        ("vessel == 'flask'", True),
        ("temperature > 80 and solvent == 'DMF' and steps < 4", True),
        ("temperature > 80 AND solvent == 'water'", False),
        ("temperature > 100 and solvent == 'DMF'", False),
    ],
)
def test_a_condition_compares_parameters(when, expected):
    assert applies(when) is expected


@pytest.mark.parametrize("when", ["temperature > 80 and colour == 'red'", "colour == 'red'", "depth < 3"])
def test_what_cannot_be_compared_asks_a_person(when):
    assert applies(when)


def test_a_text_in_place_of_a_number_asks_a_person():
    assert applies("temperature > 80", {"temperature": "hot"})


def test_the_noise_of_floating_point_decides_nothing():
    assert not applies("a + b > 0.3", {"a": 0.1, "b": 0.2})
    assert applies("a + b == 0.3", {"a": 0.1, "b": 0.2})


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("temperature", "'temperature' is no comparison; write comparisons such as temperature > 80, joined by 'and'"),
        (" ", "a comparison is missing"),
        ("temperature > 80 and", "a comparison is missing"),
        ("1 > 2", "'1 > 2' has no parameter in it; name at least one"),
        ("0 < temperature < 80", "'0 < temperature < 80' is no comparison"),
        ("temperature > 80 or steps > 3", "there is no 'or'; give a rule for each: any rule suffices"),
        ("not stirred == true", "there is no 'not'; turn the comparison round"),
        ("temperature * steps > 80", "is not linear"),
        ("solvent > 'DMF'", "compares a text or truth value; write a parameter's name, == or !="),
        ("solvent + 1 == 'DMF'", "compares a text or truth value"),
        ("'a' == 'b'", "compares a text or truth value"),
        ("solvent == D M F", r"texts stand between quotes"),
        ("temperature >", "a number or '\\(' is missing before the end"),
    ],
)
def test_a_condition_that_cannot_be_read_is_quoted_and_refused(when, message):
    with pytest.raises(ConfigurationError, match=message):
        ApprovalRule(when=when)


@given(st.text(alphabet="ab 1.<>=!'\"`+-*and()tru", max_size=30))
def test_any_text_is_read_or_refused_as_configuration(when):
    with suppress(ConfigurationError):
        assert applies(when, {"a": 1.0}) in (True, False)


# --- the other conditions -------------------------------------------------------------------------------------------


def test_the_first_trials_are_told_by_their_place():
    assert [applies(first=2, place=place) for place in range(4)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("pattern", "proposer", "expected"),
    [
        ("agent:x", "agent:x", True),
        ("agent:x", "agent:xy", False),
        ("agent:*", "agent:xy", True),
        ("agent:*", "user:agent:x", False),
        ("agent:?", "agent:xy", False),
        ("generator", "generator", True),
        ("a.b", "aab", False),
        ("agent:[x]", "agent:x", False),
        ("*", "anybody", True),
    ],
)
def test_who_brings_a_trial_in_is_told_by_a_pattern(pattern, proposer, expected):
    assert applies(proposed_by=pattern, proposer=proposer) is expected


def test_all_conditions_of_a_rule_must_hold():
    rule = {"when": "temperature > 80", "first": 3, "proposed_by": "agent:*"}

    assert applies(**rule, place=1, proposer="agent:x")
    assert not applies(**rule, place=3, proposer="agent:x")
    assert not applies(**rule, place=1, proposer="user:kim")
    assert not applies(**rule, place=1, proposer="agent:x", parameters={"temperature": 70.0})


def test_a_rule_without_conditions_asks_for_every_trial():
    assert applies()
    assert ApprovalRule().words == "every trial"


def test_any_rule_of_a_policy_suffices():
    hot, cold = ApprovalRule(when="temperature > 80"), ApprovalRule(when="temperature < 10")
    policy = ApprovalPolicy((hot, cold, ApprovalRule(first=5)))

    assert list(policy.applying(WARM, place=9, proposer="generator")) == [hot]
    assert list(policy.applying({"temperature": 50.0}, place=9, proposer="generator")) == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (ApprovalRule(when="temperature > 80"), "temperature > 80"),
        (ApprovalRule(name="hot", when="temperature > 80"), "hot: temperature > 80"),
        (ApprovalRule(first=5), "the first 5 trials"),
        (ApprovalRule(name="agents", proposed_by="agent:*"), "agents: from agent:*"),
        (ApprovalRule(when="t > 1", first=5, proposed_by="agent:x"), "t > 1, the first 5 trials, from agent:x"),
    ],
)
def test_a_rule_says_what_it_asks_for(rule, words):
    assert rule.words == words


# --- what makes no sense --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, -1])
def test_the_first_trials_are_one_or_more(first):
    with pytest.raises(ConfigurationError, match=f"the first {first} trials: give 1 or more"):
        ApprovalRule(first=first)


@pytest.mark.parametrize("approver", ["agent:x", "kim", "user:", "role:", "*", ""])
def test_only_persons_and_roles_are_named_as_approvers(approver):
    with pytest.raises(ConfigurationError, match=f"names the approver '{'[*]' if approver == '*' else approver}'"):
        ApprovalRule(approvers=(approver,))


def test_two_rules_of_a_policy_differ():
    with pytest.raises(ConfigurationError, match="two approval rules say 'the first 5 trials'"):
        ApprovalPolicy((ApprovalRule(first=5), ApprovalRule(first=5, approvers=("user:kim",))))


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("temprature > 80", "there is no parameter 'temprature'; use temperature, "),
        ("colour == 'red'", "there is no parameter 'colour'"),
        ("solvent > 3", "compares 'solvent' with a number, and it is of type str"),
        ("stirred > 0", "compares 'stirred' with a number, and it is of type bool"),
        ("temperature == 'hot'", "compares 'temperature' with 'hot', and it is of type float"),
        ("solvent == true", "compares 'solvent' with True, and it is of type str"),
        ("solvent == 'dmf'", "'dmf', which is none of its values: use one of 'water', 'DMF'"),
    ],
)
def test_a_rule_that_does_not_fit_the_search_space_is_refused_by_name(when, message):
    with pytest.raises(ConfigurationError, match=message):
        ApprovalPolicy((ApprovalRule(when=when),)).check(SPACE)


@pytest.mark.parametrize(
    "when", ["temperature + steps > 80", "solvent != 'DMF'", "stirred == true", "vessel == 'jar'", ""]
)
def test_a_rule_that_fits_the_search_space_is_let_pass(when):
    ApprovalPolicy((ApprovalRule(when=when),)).check(SPACE)


def test_a_value_that_is_gone_is_let_pass_where_only_types_matter():
    ApprovalPolicy((ApprovalRule(when="solvent == 'THF'"),)).check(SPACE, values=False)


# --- who may decide -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approvers", "actor", "role", "expected"),
    [
        ((), "user:kim", None, True),
        ((), "agent:kim", "chemist", False),
        ((), "engine", None, False),
        ((), "user:", None, False),
        (("user:kim",), "user:kim", None, True),
        (("user:kim",), "user:lee", None, False),
        (("user:lee", "user:k*"), "user:kim", None, True),
        (("role:chemist",), "user:kim", "chemist", True),
        (("role:chemist",), "user:kim", "visitor", False),
        (("role:chemist",), "user:kim", None, False),
        (("role:chemist",), "agent:x", "chemist", False),
        (("user:kim",), "user:lee", "user:kim", False),
        (("role:chem*",), "user:kim", "chemist", True),
    ],
)
def test_a_person_who_is_named_decides(approvers, actor, role, expected):
    assert may_decide(approvers, actor, role) is expected


# --- in a log -------------------------------------------------------------------------------------------------------


def test_a_policy_survives_a_trip_through_json():
    policy = ApprovalPolicy((ApprovalRule(name="hot", when="temperature > 80", approvers=("role:chemist",)),))

    assert msgspec.json.decode(msgspec.json.encode(policy), type=ApprovalPolicy) == policy
