"""`make demo`: a closed loop finds good conditions for a reaction, in a simulated lab, while you watch.

Four reactors at once, a few seconds a trial (they stand for an hour of a real lab), Bayesian optimization of the yield
while the impurity is kept below 3 %.  Everything that happens is written to demo.titrant.  The same as `titrant demo`,
`titrant resume` and a look into the log, from Python:

    python examples/demo.py                              # under a minute
    python examples/demo.py --resume demo.titrant        # go on with more trials
    python examples/demo.py --replay demo.titrant        # what happened, read from the log
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from titrant import Client, TitrantError
from titrant.cli.demo import new_log, play, plot, yields
from titrant.cli.events import event_line
from titrant.definition import apply, connect, recall
from titrant.log.replay import read_log


def resume(path: Path, trials: int) -> None:
    """Go on: the log knows what carries its trials out."""
    with Client.open(path) as client:
        loaded = recall(client.state.definition, path)
        apply(client, loaded, connect(loaded))
        client.run_trials(trials, parallelism=4, progress=True)
        print(plot(yields(client)))
    print(f"\nEverything is in {path}.")


def replay(path: Path) -> None:
    """Print the history; any process may read a log, also while it is written."""
    kinds: Counter[str] = Counter()
    for record in read_log(path):
        kinds[type(record.event).__name__] += 1
        print(event_line(record))
    told = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    print(f"\n{sum(kinds.values())} events, each chained to the one before: {told}")


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
        if options.replay:
            replay(options.replay)
        elif options.resume:
            resume(options.resume, options.trials)
        else:
            log = options.log or new_log()
            print(play(log, trials=options.trials, seconds=options.seconds, seed=options.seed).view)
    except TitrantError as exc:
        sys.exit(f"titrant: {exc}")


if __name__ == "__main__":
    main()
