"""`make demo`: a closed loop finds good conditions for a reaction, in a simulated lab, while you watch.

Four reactors at once, a few seconds a trial (they stand for an hour of a real lab), Bayesian optimization of the yield
while the impurity is kept below 3 %.  Everything that happens is written to demo.titrant.

    python examples/demo.py                              # under a minute
    python examples/demo.py --resume demo.titrant        # go on with more trials
    python examples/demo.py --replay demo.titrant        # what happened, read from the log
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import accumulate
from os.path import relpath
from pathlib import Path

from titrant import Client, TitrantError
from titrant.log.replay import read_log
from titrant.messages import events as e
from titrant.simulation import Lognormal, SimulatedLab
from titrant.simulation.problems import REACTION

UNITS = REACTION.units


def lab(seed: int, seconds: float) -> SimulatedLab:
    return SimulatedLab(
        REACTION.evaluate,
        name="reactor",
        capacity=4,
        seed=seed,
        duration_s=Lognormal(seconds, 0.3),
        noise_sd={"yield": 0.5, "impurity": 0.1},  # per cent
        failure_probability=0.04,
    )


def new_log() -> Path:
    """demo.titrant, or where that exists demo-2.titrant …: a log is never overwritten."""
    path, number = Path("demo.titrant"), 1
    while path.exists():
        number += 1
        path = Path(f"demo-{number}.titrant")
    return path


def run(options: argparse.Namespace) -> None:
    path: Path = options.resume or options.log or new_log()
    client = Client.open(path) if options.resume else Client(path, random_seed=options.seed)
    with client:
        if not options.resume:
            client.configure_experiment(REACTION.parameters, name="reaction", description="A + B → P, then P + B → I")
            client.configure_optimization(REACTION.objective, REACTION.outcome_constraints)
        client.configure_runner(lab(options.seed, options.seconds))
        client.run_trials(options.trials, parallelism=4, progress=True)
        report(client)
    print(f"\nEverything is in {path}.  Next:")
    print(f"  {relpath(sys.executable)} {sys.argv[0]} --resume {path}")
    print(f"  {relpath(sys.executable)} {sys.argv[0]} --replay {path}")


def report(client: Client) -> None:
    """The best conditions with their units, and the way there."""
    try:
        parameters, values, index, _arm = client.get_best_parameterization(use_model_predictions=False)
    except TitrantError as exc:
        print(f"\n{exc}")
        return
    print(f"\nBest conditions (trial {index}):")
    for name, value in parameters.items():
        print(f"  {name.split('_')[0]:<12} {shown(value)} {UNITS.get(name, '')}")
    for name, (mean, sem) in values.items():
        print(f"  {name:<12} {mean:.1f} ± {sem:.1f} {UNITS[name]}")
    print(f"  (the true optimum of this simulation is a yield of {REACTION.optimum:.1f} %)\n")
    yields = [
        means["yield"] if means.get("impurity", 100.0) <= 3.0 else None
        for trial in client.state.trials()
        if (means := {one.metric: one.mean for one in trial.observations if one.mean is not None})
    ]
    print(plot(yields))


def shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def plot(yields: list[float | None]) -> str:
    """Yield by trial, ten per cent a row: dots for trials that keep the constraint, a line for the best so far."""
    best = list(accumulate(yields, lambda a, b: b if a is None else a if b is None else max(a, b)))
    rows = []
    for percent in range(100, -1, -10):
        dots = (y is not None and abs(y - percent) <= 5 for y in yields)
        line = (b is not None and abs(b - percent) <= 5 for b in best)
        marks = ["●" if dot else "─" if at_best else " " for dot, at_best in zip(dots, line, strict=True)]
        rows.append(f"{percent:>5} % │{' '.join(marks)}" if percent % 20 == 0 else f"        │{' '.join(marks)}")
    return "\n".join(
        [*rows, f"        └{'─' * 2 * len(yields)}", "         yield by trial; ● has an impurity of at most 3 %"]
    )


def replay(path: Path) -> None:
    """Print the history; any process may read a log, also while it is written."""
    kinds: Counter[str] = Counter()
    last = 0
    for record in read_log(path):
        kinds[type(record.event).__name__] += 1
        last = record.seq
        at = datetime.fromtimestamp(record.recorded_at / 1e6, tz=UTC).astimezone().strftime("%H:%M:%S")
        print(f"{record.seq:>5}  {at}  {record.actor:<16} {told(record.event)}")
    print(f"\n{last} events, each chained to the one before: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}")


def told(event: object) -> str:
    match event:
        case e.TrialCreated(trial=trial, parameters=parameters, suggestion=suggestion):
            node = "" if suggestion is None else f" by {suggestion.generator}"
            return f"trial {trial} created{node}: {'  '.join(f'{k}={shown(v)}' for k, v in parameters.items())}"
        case e.DataAttached(trial=trial, observations=observations):
            return f"trial {trial}: {', '.join(f'{o.metric} = {o.mean:.2f} ± {o.sem}' for o in observations)}"
        case e.TrialFailed(trial=trial, reason=reason):
            return f"trial {trial} failed: {reason}"
        case _:
            trial = getattr(event, "trial", None)
            return type(event).__name__ + ("" if trial is None else f", trial {trial}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24, help="new trials (default: 24)")
    parser.add_argument("--seconds", type=float, default=2.0, help="median duration of a trial (default: 2)")
    parser.add_argument("--seed", type=int, default=5, help="seed of everything by chance (default: 5)")
    parser.add_argument("--log", type=Path, help="where the log goes (default: demo.titrant, or the next free number)")
    parser.add_argument("--resume", type=Path, metavar="LOG", help="go on with the experiment in LOG")
    parser.add_argument("--replay", type=Path, metavar="LOG", help="print what happened")
    options = parser.parse_args()
    try:
        replay(options.replay) if options.replay else run(options)
    except TitrantError as exc:
        sys.exit(f"titrant: {exc}")


if __name__ == "__main__":
    main()
