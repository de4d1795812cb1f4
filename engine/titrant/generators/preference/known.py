"""What a request says of a preference, as arrays: finished trials, comparisons between them, and a fitted utility."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import Point
from titrant.generators.encoding import Encoding
from titrant.generators.gp.asked import TooFewError
from titrant.generators.gp.data import Data, collect, picked
from titrant.generators.preference import hyperparameters
from titrant.generators.preference.duels import Duels, duels
from titrant.generators.preference.utility import Utility
from titrant.model.comparison import Verdict

NAME = "PairwiseGP(Matern-5/2)"
METRIC = "utility"
"""What predictions of it are called; it has no unit."""
NONE_YET = "nobody has compared two trials yet: attach_comparison says which of two finished ones is better"
# Trials that the model looks at, those compared last: its time grows with their cube.
MOST_TRIALS = 300


class Known(msgspec.Struct, frozen=True):
    """Finished trials, and a utility that agrees with what was said of them.

    Attributes:
        data: The trials, ``n``; they have no outcomes.
        compared: Those of them that the utility was fitted to, in its order.
        others: Those that nobody has compared, ``p x w``.
        utility: The utility.
        name: What the model is called.
    """

    data: Data
    compared: Data
    others: Floats
    utility: Utility
    name: str

    @property
    def leader(self) -> int:
        """The place among those compared of the one with the greatest mean utility."""
        return int(self.utility.known.argmax())


def read(encoding: Encoding, points: Sequence[Point], verdicts: Sequence[Verdict]) -> tuple[Data, Data, Duels]:
    """Finished trials, those that were compared, and the comparisons.

    Args:
        encoding: The whole space.
        points: Finished trials.
        verdicts: Comparisons; those of trials that have no place in the space are left out.

    Raises:
        TooFewError: None is left.
    """
    data = collect(encoding, (), points)
    places = {trial: place for place, trial in enumerate(data.trials)}
    found = [one for one in verdicts if one.better in places and one.worse in places]
    if not found:
        raise TooFewError(NONE_YET)
    wanted = sorted({trial for one in found for trial in (one.better, one.worse)})[-MOST_TRIALS:]
    order = {trial: place for place, trial in enumerate(wanted)}
    kept = [one for one in found if one.better in order and one.worse in order]
    if not kept:
        raise TooFewError(f"none of the last {MOST_TRIALS} trials that were compared was compared with another of them")
    compared = picked(data, np.array([places[trial] for trial in wanted], dtype=np.intp))
    return data, compared, duels(kept, order)


def known(encoding: Encoding, points: Sequence[Point], verdicts: Sequence[Verdict]) -> Known:
    """The same, and a fitted utility; errors as of ``read``.

    Raises:
        FloatingPointError: The numbers fail.
    """
    data, compared, found = read(encoding, points, verdicts)
    utility = Utility(compared.x, found, hyperparameters.fit(compared.x, found))
    told = {trial for one in verdicts for trial in (one.better, one.worse)}
    silent = np.array([trial not in told for trial in data.trials], dtype=bool)
    all_told = len(data) - int(silent.sum())
    name = NAME if all_told == len(compared) else f"{NAME} of {len(compared)} of {all_told} compared trials"
    return Known(data, compared, data.x[silent], utility, name)
