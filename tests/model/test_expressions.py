"""Linear expressions as text, and numbers from other libraries."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import ConfigurationError, ObjectiveError
from titrant.model.expressions import as_float, cast, is_same, key, kind_of, parse_linear, parse_linears, parse_relation

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}(\.[a-z0-9_]{1,3})?", fullmatch=True)
WEIGHTS = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda w: abs(w) > 1e-6)
TERMS = st.dictionaries(NAMES, WEIGHTS, min_size=1, max_size=6)


def written(terms):
    return " + ".join(f"({weight!r})*{name}" for name, weight in terms.items())


@pytest.mark.parametrize(
    ("text", "terms", "constant"),
    [
        ("yield - 0.1*cost", (("yield", 1.0), ("cost", -0.1)), 0.0),
        ("-(a + b)", (("a", -1.0), ("b", -1.0)), 0.0),
        ("2*(a - 3*(b + 1)) / 4", (("a", 0.5), ("b", -1.5)), -1.5),
        ("a*2*3 + +b - -1", (("a", 6.0), ("b", 1.0)), 1.0),
        ("a + b + a", (("a", 2.0), ("b", 1.0)), 0.0),
        ("a - a", (("a", 0.0),), 0.0),
        ("1e-3*lambda.x_1 − .5", (("lambda.x_1", 0.001),), -0.5),
        ("h/v + a:b", (("h/v", 1.0), ("a:b", 1.0)), 0.0),
        ("a/2", (("a", 0.5),), 0.0),
        ("2*`pH (25 °C)` + température", (("pH (25 °C)", 2.0), ("température", 1.0)), 0.0),
        ("3", (), 3.0),
    ],
)
def test_a_linear_expression_is_read(text, terms, constant):
    assert parse_linear(text) == (terms, constant)


@pytest.mark.parametrize(
    ("text", "terms", "relation", "bound"),
    [
        ("x1 + 2*x2 <= 3", (("x1", 1.0), ("x2", 2.0)), "<=", 3.0),
        ("2*a - 0.5 * b >= -1", (("a", 2.0), ("b", -0.5)), ">=", -1.0),
        ("a + b == 1", (("a", 1.0), ("b", 1.0)), "==", 1.0),
        ("a + b = 1", (("a", 1.0), ("b", 1.0)), "==", 1.0),
        ("a + 1 ≤ 2*b + 3", (("a", 1.0), ("b", -2.0)), "<=", 2.0),
        ("0.3 <= a", (("a", 1.0),), ">=", 0.3),
    ],
)
def test_a_relation_has_its_names_on_the_left(text, terms, relation, bound):
    assert parse_relation(text) == (terms, relation, bound)


@given(TERMS, st.floats(-1e6, 1e6, allow_nan=False))
def test_what_is_written_is_what_is_read(terms, constant):
    assert parse_linear(f"{written(terms)} + ({constant!r})") == (tuple(terms.items()), constant)


@given(st.lists(TERMS, min_size=1, max_size=4))
def test_expressions_set_apart_by_commas_keep_their_texts(several):
    texts = [written(terms) for terms in several]

    assert parse_linears(" , ".join(texts)) == tuple(zip(texts, (tuple(t.items()) for t in several), strict=True))


@given(st.text("ab1.*/+-()<>=^,` é", max_size=12))
def test_any_text_is_read_or_refused(text):
    for parse in (parse_linear, parse_linears, parse_relation):
        with contextlib.suppress(ConfigurationError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a*b", r"'a\*b' at column 2: 'a' \* 'b' is not linear; multiply a name by numbers only"),
        ("1 / a", "column 3: division by a name is not linear"),
        ("a / 0", "column 3: division by zero"),
        ("a^2", r"column 2: '\^' is not linear; define the power as a metric"),
        ("a**2", r"column 2: '\*\*' is not linear"),
        ("2a", "column 2: an operator is missing before 'a'; write 2\\*a"),
        ("a b", "column 3: an operator is missing before 'b'"),
        ("a +", "column 4: a name, a number or '\\(' is missing before the end"),
        ("", "column 1: a name, a number or"),
        ("(a + b", r"column 1: this '\(' is not closed; add '\)'"),
        ("a)", r"column 2: '\)' does not belong here; remove it"),
        ("a & b", "column 3: '&' means nothing here; put an unusual name between backquotes"),
        ("a <= 1", "column 3: '<=' is one relation too many"),
        ("1e999*a", "column 8: a number before this is too large; use other units"),
        ("(" * 60 + "a" + ")" * 60, "more than 50 signs and parentheses"),
    ],
)
def test_what_is_not_linear_is_refused_with_its_place(text, message):
    with pytest.raises(ConfigurationError, match=message):
        parse_linear(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + b", "column 6: a relation is missing; write <=, >= or == and a bound"),
        ("a < 1", "column 3: '<' cannot be told from '<=' in measured values"),
        ("0 <= a <= 1", "column 8: '<=' is one relation too many; state one relation"),
        ("a, b <= 1", "column 2: ',' does not belong here"),
    ],
)
def test_what_is_no_relation_is_refused_with_its_place(text, message):
    with pytest.raises(ConfigurationError, match=message):
        parse_relation(text)


def test_the_caller_chooses_the_error():
    with pytest.raises(ObjectiveError, match="cannot read"):
        parse_linear("a *", error=ObjectiveError)


def test_only_a_text_is_read():
    with pytest.raises(ConfigurationError, match=r'expected a text such as "a \+ 2\*b", got 3 \(int\)'):
        parse_linear(3)


def test_a_long_sum_is_no_deep_one():
    assert parse_linear(" + ".join(["a"] * 500)) == ((("a", 500.0),), 0.0)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, "float", 3.0),
        (4.0, "int", 4),
        (np.int64(4), "int", 4),
        (np.float32(0.5), "float", 0.5),
        (np.array(2.0), "float", 2.0),
        (np.True_, "bool", True),
        (np.str_("a"), "str", "a"),
        (2**60 + 1, "int", 2**60 + 1),
        (4.5, "int", None),
        (True, "int", None),
        (True, "float", None),
        (1, "bool", None),
        ("1", "float", None),
        (1, "str", None),
        (math.nan, "float", None),
        (math.inf, "int", None),
        (10**400, "float", None),
        (np.array([1.0]), "float", None),
        (None, "float", None),
    ],
)
def test_a_value_is_cast_to_its_kind_or_to_none(value, kind, expected):
    found = cast(value, kind)

    assert found == expected
    assert type(found) is type(expected)


def test_nan_is_a_float_and_a_text_is_none():
    assert math.isnan(as_float(np.float64("nan")))
    assert as_float("1.0") is None


def test_the_kind_of_a_value_is_known():
    assert [kind_of(v) for v in (True, 1, np.float64(1), "1", None)] == ["bool", "int", "float", "str", None]


def test_floats_are_the_same_but_for_their_last_digits():
    assert is_same(0.1 + 0.2, 0.3)
    assert not is_same(0.3, 0.3001)


def test_a_key_forgets_the_noise_and_the_sign_of_zero():
    assert key(0.1 + 0.2, "float") == key(0.3, "float")
    assert math.copysign(1, key(-0.0, "float")) == 1
    assert (key(None, "float"), key("x", "float")) == (None, "'x'")
