"""Write lines of JSON of what came after the second golden log: kinds of parameters, candidates, comparisons.

    python tests/golden/make_v3.py

Before the first release it may be run again when an event changes; afterwards a change needs a schema number and an
upcaster (messages/codec.py), and the lines stay as they are.
"""

from __future__ import annotations

from pathlib import Path

from titrant.messages import events as e
from titrant.messages.codec import encode
from titrant.model.experiment import Experiment, RunOptions
from titrant.model.objective import PREFERENCE
from titrant.model.past import Past
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

HERE = Path(__file__).parent

SPACE = search_space(
    [
        ChoiceParameterConfig(
            "mode", ("batch", "flow"), dependent_parameters={"batch": ["rpm"], "flow": ["rate", "coil"]}
        ),
        RangeParameterConfig("rpm", (100, 900), "int"),
        RangeParameterConfig("rate", (0.5, 5.0)),
        ChoiceParameterConfig("coil", (1, 2, 5), "int", descriptors={1: {"ml": 0.5}, 2: {"ml": 2.25}, 5: {"ml": 10}}),
        RangeParameterConfig("ambient", (15.0, 30.0), is_context=True),
        RangeParameterConfig("minutes", (1.0, 60.0), is_fidelity=True, target_value=60.0),
        ChoiceParameterConfig("site", ("Basel", "Lyon"), is_task=True, target_value="Lyon"),
    ],
    candidates=[
        {"mode": "batch", "rpm": 300, "minutes": 60, "site": "Lyon"},
        {"mode": "flow", "rate": 1.5, "coil": 2, "minutes": 10, "site": "Basel"},
    ],
)

EVENTS = (
    e.ExperimentConfigured(experiment=Experiment(space=SPACE, name="kinds")),
    e.SpaceChanged(space=SPACE, backfill={"ambient": 21.5}),
    e.CandidatesKept(digest="0123456789abcdef" * 4, text="eJyr"),
    e.RunStarted(options=RunOptions(max_trials=3, context={"ambient": 22.5})),
    e.PastLearned(
        past=Past(
            name="last year's",
            file="2025.titrant",
            log_id="00" * 16,
            seq=77,
            hash="ab" * 32,
            found=3,
            parameters={"mode": ("batch", "flow"), "rpm": (300, None), "rate": (None, 1.5), "coil": (None, 2)},
            metrics={"yield": (61.5, 70.25), "impurity": (None, 1.5)},
            sems={"yield": (0.5, None)},
            renamed={"Rate": "rate"},
            scaled={"rate": (0.06, 0.0)},
            filled={"ambient": 21.5},
            dropped=("stirrer",),
            lacking=("cost",),
            left_out=1,
        )
    ),
    e.OptimizationConfigured(optimization=PREFERENCE),
    e.ComparisonAttached(better=3, worse=5, judge="Ada", note="less grainy"),
    e.ComparisonAttached(better=5, worse=4, tie=True),
    e.ComparisonWithdrawn(comparison=1, reason="the cups were swapped"),
)


def main() -> None:
    (HERE / "v3.jsonl").write_text("".join(f"{encode(event)[2]}\n" for event in EVENTS), encoding="utf-8")


if __name__ == "__main__":
    main()
