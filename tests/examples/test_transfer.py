"""The example of learning from a past experiment shows that it pays."""

import re


def test_with_the_past_the_first_trial_is_better_than_without(run_example):
    printed = run_example("transfer", "--trials", 2)

    assert "learned from 20 of 20 trials of 'old reactor' (old_reactor.titrant)" in printed
    without, learned = ([float(one) for one in re.findall(r"\d+\.\d", line)] for line in printed.splitlines()[-2:])
    assert learned[0] > without[0] + 10
