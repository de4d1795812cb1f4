"""What is said to an instrument that is told and asked in text, as it is written down."""

from __future__ import annotations

from typing import Literal

import msgspec

from titrant_adapters.shape.config import Config, Seconds, bad
from titrant_adapters.shape.setting import Setting

KEY = "{key}"


class AskedConfig(Config, frozen=True, kw_only=True):
    """What to say to the instrument.

    Attributes:
        settings: Parameter to setting; ``to`` is the command's header (``"VOLT"``), or the command with a place for the
            value (``"VOLT {:.3f},(@1)"``), ``read_back`` the query.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this instrument's.
        start: The command that starts a run; ``{key}`` stands for its name, where the instrument keeps one.
        latest: The query that gives the name of the run it carries out, or carried out last; a run is found again by it
            after a restart.
        status: The query that says how it stands, or how the run ``{key}`` does, by which one is found again as well;
            ``"*OPC?"``, which answers when all is done, where empty.
        running: Answers of ``status`` while it runs.
        done: Answers of ``status`` when it is done.
        stopped: Answers of ``status`` when it was ended before.
        absent: Answers of ``status`` where there is no such run.
        measure: Metric to query, of the latest run, or of the run ``{key}``.
        safe: Commands that bring it into its safe state.
        stop: The command that ends the run that goes on, or the run ``{key}``; none where empty.
        stop_timeout_s: Seconds after which a run that was stopped must be over.
        error: The query for its error queue.
        who: The query that says who it is.
        identity: A text that the answer must contain.
        timeout_s: Seconds one answer may take.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds between two questions for the status.
    """

    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    start: str = "INIT"
    latest: str = ""
    status: str = ""
    running: tuple[str, ...] = ("RUN", "1")
    done: tuple[str, ...] = ("DONE", "IDLE", "0")
    stopped: tuple[str, ...] = ("STOPPED", "ABORTED")
    absent: tuple[str, ...] = ("NONE",)
    measure: dict[str, str]
    safe: tuple[str, ...] = ()
    stop: str = ""
    stop_timeout_s: Seconds = 30.0
    error: str = "SYST:ERR?"
    who: str = "*IDN?"
    identity: str = ""
    timeout_s: Seconds = 2.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.05

    def check(self) -> None:
        """Every question ends with a question mark, or the line would wait for an answer that never comes."""
        if not self.measure:
            raise bad("measure", self.measure, 'name a query for each metric: { power = "MEAS:POW?" }')
        asked = {f"measure.{name}": query for name, query in self.measure.items()} | {"error": self.error}
        asked |= {f"{name}.read_back": str(one.read_back) for name, one in self.settings.items() if one.read_back}
        asked |= {field: query for field in ("latest", "status") if (query := getattr(self, field))}
        for field, query in asked.items():
            if not query.partition(" ")[0].endswith("?"):
                raise bad(field, query, "a query ends with a question mark")
        named = [field for field, text in {**asked, "stop": self.stop}.items() if KEY in text]
        if (named or self.latest) and KEY not in self.start:
            field = named[0] if named else "latest"
            raise bad("start", self.start, f'write "{KEY}" where it takes the name by which {field} asks for it')
        if self.stop and not self.status:
            raise bad("stop", self.stop, "it needs the query for the status: *OPC? keeps the line until the end")

    @property
    def names_runs(self) -> bool:
        """Whether the instrument says what became of a run by its name."""
        return bool(self.latest) or (KEY in self.status and all(KEY in query for query in self.measure.values()))
