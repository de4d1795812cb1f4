"""What may stand in an experiment file; the published JSON Schema is made of these types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from titrant.model.approval import ApprovalRule
from titrant.model.experiment import Initialization, Method, OnUnknown
from titrant.model.factorial import USUAL
from titrant.model.fidelity import AffineCost
from titrant.model.strategy import GenerationNode, Policy
from titrant.model.trial import ParameterValue

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]
Whole = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Section(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of everything in a file: a field nobody knows is a mistake, and is said to be one."""


class Parameter(Section, frozen=True, kw_only=True):
    """One parameter: with bounds a range, with values a choice, with a value fixed."""

    name: Annotated[str, Meta(description="Its name; in the table form the key.")] = ""
    type: Annotated[
        Literal["range", "choice", "fixed"] | None, Meta(description="What it is; seen from the other fields.")
    ] = None
    bounds: Annotated[
        tuple[float, float] | None, Meta(description="Range: lower and upper bound, both included, in its own unit.")
    ] = None
    values: Annotated[list[ParameterValue] | None, Meta(description="Choice: the values.")] = None
    value: Annotated[ParameterValue | None, Meta(description="Fixed: the value.")] = None
    parameter_type: Annotated[
        Literal["float", "int", "str", "bool"] | None,
        Meta(description='Range: "float" (default) or "int". Choice: seen from the values where left out.'),
    ] = None
    step_size: Annotated[float | None, Meta(description="Range: only lower + k * step_size is suggested.")] = None
    scaling: Annotated[
        Literal["linear", "log"] | None, Meta(description='Range: "log" to search on a logarithmic scale.')
    ] = None
    is_ordered: Annotated[
        bool | None, Meta(description="Choice: whether neighbouring values are alike; numbers are.")
    ] = None
    descriptors: Annotated[
        str | dict[str, dict[str, float]] | None,
        Meta(
            description="Choice: numbers that describe each value, by which models compare them; a table of tables, or "
            "a CSV file with the values in its first column. Where `values` is left out, all that are described."
        ),
    ] = None
    dependent_parameters: Annotated[
        dict[str, list[str]] | None,
        Meta(description="Choice: the parameters that are active only under a value; numbers and truths as JSON."),
    ] = None
    is_context: Annotated[bool | None, Meta(description="Given when a trial is asked for, and not chosen.")] = None
    is_task: Annotated[
        bool | None, Meta(description="Choice: each value is a task of its own, such as a site or an instrument.")
    ] = None
    is_fidelity: Annotated[bool | None, Meta(description="It says how exactly a trial is carried out.")] = None
    target_value: Annotated[
        ParameterValue | None, Meta(description="The task or the fidelity for which the best is sought.")
    ] = None


Form = Parameter | list[ParameterValue] | ParameterValue
"""A parameter in the table form: ``[20, 120]`` is a range, ``["MeCN", "DMF"]`` a choice, ``5.0`` fixed."""


class Strategy(Section, frozen=True, kw_only=True):
    """How trials are made: the centre, an initial design, then Bayesian optimization (fields as in Ax)."""

    method: Annotated[Method, Meta(description='Which model suggests; with "random_search" none does.')] = "fast"
    initialization_budget: Annotated[
        Whole | None, Meta(description="Trials before the model takes over (5; of a grid all), the centre among them.")
    ] = None
    initialization_random_seed: Annotated[int | None, Meta(description="Seed of the initial design alone.")] = None
    initialize_with_center: Annotated[bool, Meta(description="Whether the first trial is the centre.")] = True
    use_existing_trials_for_initialization: Annotated[
        bool, Meta(description="Whether attached trials count towards the budget.")
    ] = True
    min_observed_initialization_trials: Annotated[
        Whole | None, Meta(description="Completed trials the model needs; half the budget where left out.")
    ] = None
    suggestion_deadline_seconds: Annotated[
        Positive, Meta(description="After this a Sobol point stands in for a suggestion that takes too long.")
    ] = 120.0
    initialization: Annotated[Initialization, Meta(description="The initial design.")] = "sobol"
    grid_levels: Annotated[
        Count | dict[str, Count],
        Meta(description="Levels of a grid's ranges, for all or by name (3 where missing); choices have all theirs."),
    ] = USUAL
    node: Annotated[
        list[GenerationNode], Meta(description="The strategy as a graph, its first node first, in place of a design.")
    ] = []
    policy: Annotated[
        Policy,
        Meta(description='What a free slot takes: a "fresh" suggestion, one that is "ready", or what fits.'),
    ] = "auto"
    suggestion_wait_seconds: Annotated[
        float, Meta(ge=0, description='How long a slot waits at most for a "fresh" one.')
    ] = 30.0
    learn_from_failures: Annotated[
        bool, Meta(description="Whether a model learns where trials fail, and keeps away from there.")
    ] = True
    cost: Annotated[
        AffineCost | Text | None,
        Meta(description="What a trial costs at a fidelity: fixed_cost and fidelity_weights, or a metric's name."),
    ] = None


class Part(Section, frozen=True, kw_only=True):
    """Something made by code: an entry point's name or ``module:attribute``, and what it is called with."""

    use: Annotated[
        Text,
        Meta(description='An entry point\'s name, or "module:attribute"; modules beside the file are found.'),
    ]
    with_: Annotated[
        dict[str, Any],
        Meta(description='Keyword arguments. { env = "NAME" } stands for an environment variable: secrets go there.'),
    ] = field(default_factory=dict, name="with")


class RunnerPart(Part, frozen=True, kw_only=True):
    """A runner: a class or a function that makes one, or a plain function of the conditions."""

    name: Annotated[Text | None, Meta(description="Its name, unique in the experiment.")] = None
    capacity: Annotated[Count | None, Meta(description="Trials it carries out at once.")] = None
    call_deadline_s: Annotated[Positive | None, Meta(description="Seconds one call of it may take.")] = None
    run_deadline_s: Annotated[Positive | None, Meta(description="Seconds one trial may take.")] = None
    min_seconds_between_polls: Annotated[
        Annotated[float, Meta(ge=0)] | None, Meta(description="The instrument is never asked more often.")
    ] = None
    on_unknown: Annotated[OnUnknown | None, Meta(description="What becomes of a trial whose fate is unknown.")] = None


class MetricPart(Part, frozen=True, kw_only=True):
    """A metric: a class or a function that makes one."""

    name: Annotated[Text | None, Meta(description="The metric's name, given to it as `name`.")] = None


class Rule(ApprovalRule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which trials a person must approve; all conditions given in a rule must hold."""


class Run(Section, frozen=True, kw_only=True):
    """How the closed loop is run (fields as of ``run_trials``)."""

    max_trials: Annotated[Whole | None, Meta(description="New trials.")] = None
    parallelism: Annotated[Count, Meta(description="Trials under way at once, over all runners.")] = 1
    tolerated_trial_failure_rate: Annotated[
        Share, Meta(description="Share of failed trials above which the loop drains.")
    ] = 0.5
    min_failed_trials_for_failure_rate_check: Annotated[
        Whole, Meta(description="Failures before the rate is looked at.")
    ] = 5
    initial_seconds_between_polls: Annotated[Positive, Meta(description="How often polled runners are asked.")] = 1.0
    timeout_seconds: Annotated[Positive | None, Meta(description="The run ends after this time.")] = None
    trial_ttl_seconds: Annotated[Positive | None, Meta(description="A trial that runs longer is stopped.")] = None
    context: Annotated[dict[str, ParameterValue], Meta(description="What the context parameters are in the run.")] = {}
    policy: Annotated[Policy | None, Meta(description="What free slots take; the strategy's where left out.")] = None

    def arguments(self, max_trials: int | None = None, parallelism: int | None = None) -> dict[str, Any]:
        """The arguments of ``run_trials``; those given here win."""
        said = msgspec.structs.asdict(self)
        given = {"max_trials": max_trials, "parallelism": parallelism}
        return said | {name: value for name, value in given.items() if value is not None}


class PastLog(Section, frozen=True, kw_only=True):
    """The log of a past experiment that models learn from too (fields as of ``learn_from``)."""

    log: Annotated[Text, Meta(description="The log, from the file's folder; only read.")]
    names: Annotated[dict[str, str], Meta(description="What parameters and metrics of it are called here.")] = {}
    scaled: Annotated[
        dict[str, tuple[float, float]],
        Meta(
            description="Another unit there, by names here: factor and offset; a value here is factor * value + offset."
        ),
    ] = {}
    fill: Annotated[dict[str, ParameterValue], Meta(description="Values of parameters that it does not tell of.")] = {}


class ExperimentFile(Section, frozen=True, kw_only=True):
    """An experiment: what is varied, what is sought, who carries trials out."""

    name: Annotated[str, Meta(description="The experiment's name; the file's where left out.")] = ""
    description: Annotated[str, Meta(description="What it is about.")] = ""
    owner: Annotated[str, Meta(description="Whose it is.")] = ""
    experiment_type: Annotated[str, Meta(description="A word to sort experiments by.")] = ""
    seed: Annotated[Whole | None, Meta(description="Seed of everything random; drawn where left out.")] = None
    parameters: Annotated[
        dict[str, Form] | list[Parameter],
        Meta(description="What is varied: a table of names, or a list as in Ax."),
    ]
    constraints: Annotated[
        list[str],
        Meta(
            description='In the parameters\' own units: "a + 2*b <= 3", "a + b == 1", "a*b <= 3", '
            '"at most 2 of a, b, c", "my_lab:function".'
        ),
    ] = []
    candidates: Annotated[
        str | list[dict[str, ParameterValue]] | None,
        Meta(description="The only points that may be suggested: a CSV file with a column a parameter, or a list."),
    ] = None
    objective: Annotated[
        str, Meta(description='"yield" is made large, "-cost" small; "yield, -cost" seeks a Pareto front.')
    ] = ""
    preference: Annotated[
        bool,
        Meta(
            description="Nothing is measured: somebody compares finished trials (`titrant compare`). No objective then."
        ),
    ] = False
    outcome_constraints: Annotated[list[str], Meta(description='"impurity <= 3", "qps >= 0.95*baseline".')] = []
    tracking_metrics: Annotated[list[str], Meta(description="Metrics that are recorded and not optimized.")] = []
    strategy: Strategy | None = None
    past: Annotated[list[PastLog], Meta(description="Past experiments that models learn from too.")] = []
    approval: Annotated[list[Rule], Meta(description="Which trials a person must approve.")] = []
    runners: Annotated[list[RunnerPart], Meta(description="Who carries trials out.")] = []
    metrics: Annotated[list[MetricPart], Meta(description="Who fetches data, where runners do not give them.")] = []
    generator: Annotated[Part | None, Meta(description="A generator of one's own.")] = None
    run: Run = Run()
    log: Annotated[str, Meta(description="Where the log goes; beside the file, under its name, where left out.")] = ""


def schema() -> dict[str, Any]:
    """The JSON Schema of experiment files, as published in ``docs/experiment.schema.json``."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "titrant experiment file"}
    return msgspec.json.decode(msgspec.json.encode(made | msgspec.json.schema(ExperimentFile)), type=dict[str, Any])
