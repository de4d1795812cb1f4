"""kill -9 at any moment: nothing acknowledged is lost, nothing is done twice, and every experiment comes to its end.

CAMPAIGN=500 makes the campaign as large as the promise says; by default it has a good hundred kills.
"""

import os
from itertools import zip_longest

import pytest
from tests.durability.campaign import Campaign, Experiment, Kill

from titrant.messages import events as e

KILLS = int(os.environ.get("CAMPAIGN", "100"))
LANES = ("sure", "unsure", "stopping")


def each_once(found):
    """Give each point to one lane of those that pass it, in turn, so that every lane gets its share."""
    taken, shares = set(), {lane: ([], []) for lane in found}
    for column in zip_longest(*([(lane, p) for p in (*f, *o)] for lane, (f, o) in found.items())):
        for lane, point in filter(None, column):
            if point not in taken:
                taken.add(point)
                shares[lane][point in found[lane][1]].append(point)
    return shares


@pytest.mark.campaign
def test_killed_anywhere_nothing_is_lost_and_nothing_is_done_twice(tmp_path, instruments):
    campaign = Campaign(tmp_path, instruments, trials=20)
    found = {lane: campaign.discover(lane) for lane in LANES}
    shares = each_once(found) if KILLS < 250 else found
    more = max(12, (KILLS - sum(len(f) + len(o) for f, o in shares.values())) // len(LANES) + 3)
    for lane, (at_first, later) in shares.items():
        kills = [*(Kill(point=point) for point in later), *campaign.others(lane, found[lane][1], more)]
        campaign.random.shuffle(kills)
        campaign.carry_out(lane, [Kill(point=point) for point in at_first], kills)
    campaign.top_up("unsure", KILLS)
    print(f"\n{campaign.report()}")

    named = {point for first, later in found.values() for point in (*first, *later)}
    assert len(named) >= 40
    assert len(named & set(campaign.kills)) >= 40
    assert campaign.total >= KILLS
    assert campaign.findings == []


@pytest.mark.campaign
def test_the_sobol_sequence_goes_on_and_no_worker_is_left_behind(tmp_path, instruments):
    reference = Experiment(tmp_path, "reference", "sobol", instruments, trials=20, parameters=lambda _: None)
    reference.go()
    xs = [event.parameters["x"] for event in reference.checked.events(e.TrialCreated)]
    campaign = Campaign(tmp_path, instruments, trials=20, parameters=xs.__getitem__)
    campaign.longest["sobol"] = 1.0
    names = ["generator.suggest.before#2", "generator.suggest.after#2", "log.commit.before:trial.submitting#3"]
    named = [Kill(point=name) for name in names]
    kills = [*named, *campaign.others("sobol", ["generator.suggest.after", "supervisor.durable"], max(6, KILLS // 20))]
    campaign.carry_out("sobol", [Kill(point="generator.suggest.before")], kills)
    print(f"\n{campaign.report()}")

    assert len(set(xs)) == 20
    assert campaign.total >= 6
    assert campaign.findings == []


def test_an_engine_that_acts_before_it_logs_is_found_out(tmp_path, instruments):
    """The control: a harness that cannot see this would prove nothing."""
    campaign = Campaign(tmp_path, instruments, trials=20, act_first=True)
    for _ in range(20):
        campaign.carry_out("sure", [], [Kill(trap=f"start.after#{nth}") for nth in (4, 3, 2)])
        kinds = {finding.partition("] ")[2].partition(":")[0] for finding in campaign.findings}
        if {"no intent", "double start"} <= kinds:
            break

    assert {"no intent", "double start"} <= kinds, campaign.report()
    assert not kinds & {"lost", "changed", "gap", "log", "replay"}  # the log itself is as sound as ever


@pytest.mark.parametrize("event", ["start.after", "status", "wait", "wait.over"])
def test_a_reply_that_is_lost_costs_nothing_where_keys_are_honoured(tmp_path, instruments, event):
    experiment = Experiment(tmp_path, f"lost-{event}", "keyed", instruments, trials=12)

    ended, findings = experiment.go_with_lost_replies(event, 2)

    assert findings == []
    assert ended.code == 0
    assert not experiment.checked.events(e.TrialLost)
