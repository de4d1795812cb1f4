"""Learning from past experiments: their logs are read once, and what they gave is kept in this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from titrant.api.base import OnEngine, by
from titrant.errors import ConfigurationError, LogCorrupt, LogError
from titrant.log.heads import head
from titrant.log.scanning import scan
from titrant.messages import commands as c
from titrant.model.expressions import as_float
from titrant.model.past import Past
from titrant.rules import learning, past_logs
from titrant.rules.evolve import evolve
from titrant.rules.state import State
from titrant.runtime.threads import run_in_thread

Scale = float | tuple[float, float]
"""A factor, or factor and offset: a value here is ``factor * value + offset``."""


class Learning(OnEngine):
    """What other experiments know."""

    async def learn_from(
        self,
        logs: str | Path | Iterable[str | Path],
        *,
        names: Mapping[str, str] | None = None,
        scaled: Mapping[str, Scale] | None = None,
        fill: Mapping[str, Any] | None = None,
        reason: str = "",
        actor: str | None = None,
    ) -> tuple[Past, ...]:
        """Let models learn from past experiments too, as far as these turn out to be like the present one.

        Finished trials are read from the logs, which are only read and checked against their chains; what was taken is
        recorded here, so that nothing needs them again.  A log that is read anew takes the place of what was read of it
        before.  Parameters and metrics are matched by name.

        Args:
            logs: Logs of titrant, one or several.
            names: Names in the logs to names here, of parameters and metrics that are called otherwise there.
            scaled: Name here to a factor, or to factor and offset, where the logs have another unit: a value here is
                ``factor * value + offset``.
            fill: Values that the past trials are taken to have had of parameters that they do not tell of.
            reason: Why.
            actor: Who says so.

        Returns:
            For each log what was taken and what was left out; ``str`` says it in words.

        Raises:
            ConfigurationError: There is nothing to learn from in one of them; nothing was recorded then.
            CommandRefused: There is no search space or no objective yet, or the method cannot learn from the past.
            LogError: One is missing, no log, damaged, or too new.
        """
        learning.require_goal(self.state)
        who = by(actor, reason)
        paths = [Path(logs)] if isinstance(logs, str | Path) else [Path(one) for one in logs]
        said = {"logs": [path.name for path in paths], "names": names, "scaled": scaled, "fill": fill}
        try:
            told = past_logs.Told(renamed=dict(names or {}), scaled=_scales(scaled or {}), fill=dict(fill or {}))
            if self.engine.path is not None and self.engine.path.absolute() in [path.absolute() for path in paths]:
                raise _own(self.engine.path)
            sources = await self.engine.clock.outside(lambda: run_in_thread(_read, paths))
            pasts = tuple(past_logs.past_of(self.state, source, told) for source in sources)
        except (ConfigurationError, LogError) as exc:
            await self.refused("LearnFrom", {name: value for name, value in said.items() if value}, who, exc)
            raise
        await self.engine.do(c.LearnFrom(pasts=pasts), who)
        return pasts


def _scales(given: Mapping[str, Scale]) -> dict[str, tuple[float, float]]:
    found = {}
    for name, said in given.items():
        factor, offset = said if isinstance(said, tuple | list) and len(said) == 2 else (said, 0.0)
        pair = as_float(factor), as_float(offset)
        if pair[0] is None or pair[1] is None:
            raise ConfigurationError(f"{name!r} cannot be scaled by {said!r}: give a factor, or (factor, offset)")
        found[name] = (pair[0], pair[1])
    return found


def _own(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path.name} is this experiment's own log: its trials are known already")


def _read(paths: Sequence[Path]) -> list[past_logs.Source]:
    """Fold logs.

    Raises:
        ConfigurationError: There is none, or one twice.
        LogError: One is missing, no log, damaged, or too new.
    """
    if not paths:
        raise ConfigurationError("learn_from was given no log: give the path of one or more")
    found = [_folded(path) for path in paths]
    if len({(one.state.log_id, one.file) for one in found}) < len(found):
        raise ConfigurationError("learn_from was given the same log twice: give each once")
    return found


def _folded(path: Path) -> past_logs.Source:
    """Fold a log, every event checked against its chain.

    Raises:
        LogError: It is missing, no log, damaged, or too new.
    """
    end, state, seq = head(path), State(), 0
    for seq, at, event in scan(path, 0, end.seq):
        try:
            state = evolve(state, event, at)
        except (LookupError, AttributeError, TypeError, ValueError) as exc:
            raise LogCorrupt(seq, f"it does not follow from the events before it: {exc}") from exc
    return past_logs.Source(file=path.name, seq=seq, hash=end.hash.hex(), state=state)
