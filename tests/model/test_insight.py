"""What a model's numbers are put into words as."""

import pytest

from titrant.model.insight import Contender, Estimate, Optimality, Peak, quality


def told(*, relative=0.1, chance=0.9, r2=0.9):
    def contender(trial, probability):
        return Contender(trial, Estimate(5.0, 4.0, 6.0), Estimate(probability, probability, probability))

    return Optimality(
        model="GP",
        objective="yield",
        incumbent=contender(3, chance),
        contenders=(contender(3, chance), contender(7, 1 - chance)),
        expected_improvement=Estimate(0.25, 0.2, 0.3),
        log_expected_improvement=-1.386,
        relative=relative,
        observed_range=2.5,
        at={"x": 1.0},
        peak=Peak(
            at={"x": 0.5}, feasible=True, value=Estimate(5.5, 5.0, 6.0), predicted={"yield": (5.5, 0.2)}, trial=None
        ),
        r2=r2,
    ).advice


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "go on: the best next trial is expected to gain 0.25, 0.1 of the observed range"),
        ({"relative": 0.005}, "you may stop soon: "),
        (
            {"relative": 0.0005},
            "stop: the best next trial is expected to gain 0.25, 0.0005 of the observed range; ",
        ),
        ({"relative": 1e-9}, "stop: the best next trial is expected to gain 0.25, next to nothing of the range"),
        ({"relative": 0.0005, "chance": 0.4}, "replicate trials 3 and 7 before you stop: "),
        ({"r2": 0.1}, "no advice: the model predicts left-out trials poorly (R² 0.10)"),
        ({"relative": None, "r2": None}, "no advice: the model predicts left-out trials poorly (nothing varies)"),
    ],
)
def test_the_advice_follows_from_what_is_left_and_how_sure_the_model_is(given, words):
    assert told(**given).startswith(words)


@pytest.mark.parametrize(
    ("r2", "word"), [(0.95, "good"), (0.7, "good"), (0.5, "fair"), (0.2, "poor"), (-1.0, "poor"), (None, "poor")]
)
def test_a_share_of_the_variance_has_a_word(r2, word):
    assert quality(r2) == word


def test_an_estimate_is_shown_with_its_interval():
    assert str(Estimate(0.51234, 0.4, 0.61239)) == "0.512 [0.4, 0.612]"
