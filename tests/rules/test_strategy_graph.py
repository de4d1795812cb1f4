"""A strategy given as a graph: where it stands follows from the trials, and from nothing else."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from titrant.errors import CommandRefused
from titrant.generators.requests import suggestion_request
from titrant.log.snapshots import pack, unpack
from titrant.messages import codec
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import GenerationStrategy, Node
from titrant.model.objective import optimization_config
from titrant.model.strategy import (
    AutoTransitionAfterGen,
    GenerationNode,
    IsSingleObjective,
    MaxGenerationParallelism,
    MaxTrialsAwaitingData,
    MinTrials,
    flaw,
)
from titrant.model.trial import Suggestion, TrialStatus
from titrant.rules.running import waiting_for, wanted
from titrant.rules.state import USELESS, State
from titrant.rules.strategy import allowance, budget, choose, model_follows, next_node, place, standard

from . import plausible
from .world import Y1, after, finished, lab, start, then

DESIGN = GenerationNode(
    name="design",
    generator="latin_hypercube",
    size=3,
    transition_criteria=(
        MinTrials(threshold=3, transition_to="model", not_in_statuses=("FAILED", "ABANDONED")),
        MinTrials(threshold=2, transition_to="model", only_in_statuses=("COMPLETED",)),
    ),
)
MODEL = GenerationNode(name="model", generator="bo")


def given(*nodes: GenerationNode, state: State | None = None) -> State:
    return replace(lab() if state is None else state, strategy=GenerationStrategy(nodes=nodes))


def made(node: str, count: int = 1, *, asked: bool = True) -> c.AddTrials:
    one = Suggestion(parameters={"x": 0.5}, node="sobol", generator="test", strategy_node=node)
    return c.AddTrials(suggestions=(one,) * count, asked=asked)


def complete(*indices: int) -> tuple[c.CompleteTrial, ...]:
    return tuple(c.CompleteTrial(trial=index, observations=(Y1,)) for index in indices)


# --- the strategy that is not given as a graph ----------------------------------------------------------------------


def as_it_was(state: State, count: int) -> tuple[Node, int]:
    """The rules by which trials were made before strategies were graphs."""
    strategy = state.strategy
    planned = budget(state)
    if strategy.initialize_with_center and not state.next_index and planned > 0:
        return "centre", 1
    if not model_follows(state):
        return strategy.initialization, count
    others = state.replicates if strategy.use_existing_trials else state.attached
    so_far = state.next_index - sum(map(state.count, USELESS)) - others
    if so_far < planned:
        return strategy.initialization, min(count, planned - so_far)
    needed = max(1, planned // 2) if strategy.min_observed is None else strategy.min_observed
    if state.count(TrialStatus.COMPLETED) + state.count(TrialStatus.EARLY_STOPPED) < needed:
        return "sobol" if strategy.initialization == "grid" else strategy.initialization, count
    return "bo", count


STRATEGIES = [
    GenerationStrategy(),
    GenerationStrategy(method="random_search", initialization="latin_hypercube"),
    GenerationStrategy(initialization_budget=0, min_observed=3),
    GenerationStrategy(initialization_budget=9, use_existing_trials=False),
    GenerationStrategy(initialization="grid", grid_levels=4),
    GenerationStrategy(initialization="grid", grid_levels=2, initialize_with_center=False, min_observed=5),
    GenerationStrategy(initialization="random", initialize_with_center=False, min_observed=0),
]


@pytest.mark.parametrize("seed", range(6))
def test_the_graph_of_centre_design_and_model_asks_whom_its_fields_asked(seed):
    state, draw, met = lab(), Random(seed), set()
    for _ in range(150):
        try:
            state = after(state, plausible.command(state, draw))
        except Exception:
            continue
        for strategy in STRATEGIES:
            known = replace(state, strategy=strategy, past=())  # nothing was learned from past experiments then
            for count in (1, 8):
                met.add(as_it_was(known, count))
                assert next_node(known, count) == as_it_was(known, count)
    assert len({node for node, _ in met}) >= 4


def test_the_graph_of_a_strategy_is_one_that_could_be_given():
    for strategy in STRATEGIES:
        assert flaw(standard(replace(lab(), strategy=strategy))) is None


# --- transition criteria --------------------------------------------------------------------------------------------


def test_the_first_node_makes_trials_until_its_criteria_are_met():
    state = given(DESIGN, MODEL)

    assert (choose(state, 8).node, choose(state, 8).count) == (DESIGN, 3)
    state = after(state, made("design", 3))
    assert (place(state), choose(state, 8).count) == (DESIGN, 8)
    assert place(after(state, *complete(0, 2))) == MODEL


def test_trials_of_others_count_where_all_trials_of_the_experiment_do():
    own = replace(DESIGN, transition_criteria=(MinTrials(threshold=2, transition_to="model"),))
    every = replace(
        DESIGN, transition_criteria=(MinTrials(threshold=2, transition_to="model", use_all_trials_in_exp=True),)
    )
    attached = after(lab(), *[c.AttachTrial(parameters={"x": 0.5})] * 2)

    assert place(given(own, MODEL, state=attached)) == own
    assert place(given(every, MODEL, state=attached)) == MODEL


def test_a_node_makes_up_for_trials_that_gave_no_result_and_for_results_withdrawn():
    state = after(given(DESIGN, MODEL), made("design", 3), *complete(0, 1))
    assert place(state) == MODEL

    assert (place(after(state, c.MarkFailed(trial=2))), choose(after(state, c.MarkFailed(trial=2)), 8).count) == (
        DESIGN,
        1,
    )
    voided = after(state, c.VoidResult(trial=0, reason="spilled"))
    assert place(voided) == DESIGN
    assert place(after(voided, c.UnvoidResult(trial=0, reason="it was not"))) == MODEL


def test_all_criteria_that_lead_to_a_node_must_be_met_and_the_node_named_first_is_gone_on_to():
    pair = replace(
        DESIGN,
        transition_criteria=(
            MinTrials(threshold=1, transition_to="one"),
            IsSingleObjective(transition_to="one"),
            MinTrials(threshold=1, transition_to="several"),
        ),
    )
    nodes = (pair, replace(MODEL, name="one"), replace(MODEL, name="several", method="quality"))
    state = after(given(*nodes), made("design"))

    assert place(state).name == "one"
    assert place(replace(state, optimization=optimization_config("y, z"))).name == "several"


def test_a_node_with_auto_transition_makes_one_trial():
    first = GenerationNode(
        name="first", generator="centre", transition_criteria=(AutoTransitionAfterGen(transition_to="model"),)
    )
    state = given(first, MODEL)

    assert choose(state, 8).count == 1
    assert place(after(state, made("first"))) == MODEL
    assert place(after(state, made("first"), c.MarkFailed(trial=0))) == MODEL


def test_a_model_gives_way_to_sobol_while_nothing_is_sought():
    state = replace(given(MODEL), optimization=None)

    assert choose(state, 2).instead == "node 'model' is a model, and nothing is sought yet"


# --- pausing criteria -----------------------------------------------------------------------------------------------


TWO_AT_ONCE = replace(MODEL, pausing_criteria=(MaxGenerationParallelism(threshold=2),))
THREE_BLIND = replace(DESIGN, pausing_criteria=(MaxTrialsAwaitingData(threshold=3),))


def test_what_pauses_keeps_the_closed_loop_waiting_and_says_so():
    state = after(given(TWO_AT_ONCE), start(parallelism=5))
    assert wanted(state) == 2

    state = after(state, made("model", 2, asked=False), *(c.ReportRunning(trial=i, attempt=1) for i in (0, 1)))
    assert wanted(state) == 0
    assert waiting_for(state) == ("node 'model' pauses: 2 trials, MaxGenerationParallelism 2; 2 trials run")
    assert wanted(after(state, finished(0, Y1))) == 1


def test_the_loop_goes_on_once_data_lead_to_the_next_node():
    state = after(given(THREE_BLIND, MODEL), start(parallelism=5), made("design", 3, asked=False))
    assert wanted(state) == 0

    running = (c.ReportRunning(trial=i, attempt=1) for i in range(3))
    assert wanted(after(state, *running, finished(0, Y1), finished(1, Y1))) == 4


def test_a_loop_that_waits_for_what_nobody_carries_out_ends_and_says_why():
    late = (MinTrials(threshold=9, transition_to="model", only_in_statuses=("COMPLETED",)),)
    state = given(replace(THREE_BLIND, transition_criteria=late), MODEL)
    state = after(state, made("design", 3), *complete(0, 1, 2), start())

    assert (state.run, state.last_run.outcome) == (None, "stuck")
    assert state.last_run.reason.startswith("node 'design' pauses: 3 trials, MaxTrialsAwaitingData 3; no trial of this")


def test_who_asks_for_trials_is_not_refused_but_told_what_goes_instead():
    state = after(given(THREE_BLIND, MODEL), made("design", 2))
    assert choose(state, 5).count == 1
    choice = choose(after(state, made("design")), 5)

    assert (choice.node.name, choice.count) == ("design", 5)
    assert choice.instead == "node 'design' pauses: 3 trials, MaxTrialsAwaitingData 3"


def test_what_pauses_does_not_keep_suggestions_from_being_made_ahead():
    state = after(given(TWO_AT_ONCE), made("model", 2))

    assert choose(state, 1).instead
    assert not choose(state, 1, ahead=True).instead


def test_running_stands_for_a_submission_under_way_too():
    node = replace(MODEL, pausing_criteria=(MaxGenerationParallelism(threshold=2, only_in_statuses=("RUNNING",)),))
    state = after(given(node), start(parallelism=5), made("model", 1, asked=False))

    assert state.open[0].status is TrialStatus.SUBMITTING
    assert allowance(state)[0] == 1


# --- nodes' options, and what is no graph -----------------------------------------------------------------------------


def test_a_node_hands_its_options_to_the_generator():
    quality = replace(MODEL, method="quality")
    grid = GenerationNode(name="corners", generator="grid", grid_levels=2)
    state = given(DESIGN, quality, grid)

    def asked(node: Node, name: str) -> Any:
        return suggestion_request(state, node=node, count=1, fixed={}, strategy_node=name)

    assert asked("bo", "model").method == "quality"
    assert asked("latin_hypercube", "design").design.size == 3
    assert (asked("grid", "corners").design.levels, asked("grid", "corners").design.last) == (2, True)


def lead(*targets: str) -> tuple[MinTrials, ...]:
    return tuple(MinTrials(threshold=1, transition_to=target) for target in targets)


def node(name: str, *targets: str, **fields: Any) -> GenerationNode:
    return GenerationNode(**{"name": name, "generator": "sobol", "transition_criteria": lead(*targets), **fields})


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node("a"), node("a")], "must be unique: 'a'"),
        ([node("a", "b")], "leads to 'b', which is no node"),
        ([node("a", "b"), node("b", "c"), node("c", "b")], "'b' → 'c' → 'b' go round in a circle"),
        ([node("a", "a")], "'a' → 'a' go round"),
        ([node("a"), node("b")], "'b' is never reached"),
        ([node("a", method="quality")], "give one of a model's, to a model"),
        ([node("a", generator="bo", method="random_search")], "give one of a model's"),
        ([node("a", generator="latin_hypercube")], "give size"),
        ([node("a", size=4)], "only a latin hypercube has one"),
        ([node("a", pausing_criteria=(MaxTrialsAwaitingData(threshold=2),))], "would pause for good"),
        (
            [
                node("a", transition_criteria=(MinTrials(threshold=1, transition_to="b", count_attached=False),)),
                node("b"),
            ],
            "use_all_trials_in_exp=True only",
        ),
        ([node("a", generator="grid", grid_levels={"z": 3})], "'z', which is no parameter"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_node_named(nodes, said):
    with pytest.raises(CommandRefused, match=said):
        then(lab(), c.ConfigureStrategy(strategy=GenerationStrategy(nodes=tuple(nodes))))


def test_a_model_needs_a_method_of_its_own_where_the_strategy_has_none():
    for_none = GenerationStrategy(method="random_search", nodes=(MODEL,))
    with pytest.raises(CommandRefused, match="give the node a method"):
        then(lab(), c.ConfigureStrategy(strategy=for_none))

    own = GenerationStrategy(method="random_search", nodes=(replace(MODEL, method="fast"),))
    assert then(lab(), c.ConfigureStrategy(strategy=own)) == (e.StrategyConfigured(strategy=own),)


def test_a_graph_with_many_ways_is_looked_at_once():
    names = [f"n{index}" for index in range(60)]
    nodes = [node(name, *names[place + 1 :]) for place, name in enumerate(names)]

    assert flaw(nodes) is None


def test_a_wait_that_is_no_time_is_refused():
    with pytest.raises(CommandRefused, match="0 or more seconds"):
        then(lab(), c.ConfigureStrategy(strategy=GenerationStrategy(wait_seconds=-1.0)))


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan"), float("inf")])
def test_a_deadline_that_is_no_time_is_refused(seconds):
    with pytest.raises(CommandRefused, match=r"give suggestion_deadline_seconds a number of seconds above 0"):
        then(lab(), c.ConfigureStrategy(strategy=GenerationStrategy(deadline_seconds=seconds)))


def test_a_graph_goes_into_the_log_and_comes_out_equal():
    strategy = GenerationStrategy(nodes=(THREE_BLIND, TWO_AT_ONCE), policy="fresh")
    stored = codec.encode_checked(e.StrategyConfigured(strategy=strategy))

    assert '"criterion":"MaxTrialsAwaitingData"' in stored[2]
    assert codec.decode(*stored) == e.StrategyConfigured(strategy=strategy)


def test_what_nodes_have_made_is_in_a_snapshot():
    state = after(given(DESIGN, MODEL), made("design", 3), *complete(0), c.MarkFailed(trial=1))

    assert state.made_by["design"][TrialStatus.COMPLETED] == state.made_by["design"][TrialStatus.FAILED] == 1
    assert unpack(pack(state)) == state


def test_a_replaced_strategy_counts_the_trials_that_nodes_of_the_same_name_made():
    state = after(given(DESIGN, MODEL), made("design", 2))
    longer = replace(DESIGN, transition_criteria=(MinTrials(threshold=5, transition_to="model"),))
    state = after(state, c.ConfigureStrategy(strategy=GenerationStrategy(nodes=(longer, MODEL))))

    assert choose(state, 9).count == 3
