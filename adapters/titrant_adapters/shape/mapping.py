"""A REST API as data: which request does what, and pointers into the answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from titrant_adapters.shape.config import bad
from titrant_adapters.shape.documents import NoSuchValueError, at, is_pointer
from titrant_adapters.shape.http import HttpConfig
from titrant_adapters.shape.requests import Request
from titrant_adapters.shape.setting import Setting

OF_A_RUN = frozenset({"key", "trial", "id"})
"""Names in holes that are no parameters."""


class RestMapping(HttpConfig, frozen=True, kw_only=True):
    """Which request does what; see also ``HttpConfig``.

    Attributes:
        settings: Parameter to setting; ``to`` is for ``set``'s ``{to}``, ``read_back`` a pointer into the answer to
            ``get`` or, without it, into the result, which then must say what was carried out.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this service's.
        set: Makes one setting, from ``{to}`` and ``{value}``; None where they go with ``create`` or ``start``.
        get: Reads them back before the start.
        create: Prepares a run and gives its id, and starts nothing.
        start: Starts it.
        find: Finds a run by ``{key}``.
        status: Asks where ``{id}`` stands; None where the answer to ``start`` is the result already.
        result: Fetches the result; None where the answer to ``status`` has it.
        identify: Asked when connecting; the root, where there need be nothing, if None.
        stop: Ends ``{id}``.
        safe: Requests for the safe state.
        id: Pointer to the run's id in the answer to ``create``, ``find`` or ``start``.
        state: Pointer to the state in the answer to ``status``.
        prepared: States of a run that was created and not started.
        running: States of one that is under way.
        done: States of one that is done; all other states are failures.
        reason: Pointer to why it failed.
        measure: Metric to pointer into the result.
        quality: Pointer to a word on whether to believe the result; empty where there is none.
        good: Words for yes.
        key_header: Header for the attempt's key, such as ``Idempotency-Key``.
        honours_keys: The same key again gives the same run.
        absence_is_proof: A run that ``find`` does not find was certainly not started.
        places: Runs at once.
    """

    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    set: Request | None = None
    get: Request | None = None
    create: Request | None = None
    start: Request
    find: Request | None = None
    status: Request | None = None
    result: Request | None = None
    identify: Request | None = None
    stop: Request | None = None
    safe: tuple[Request, ...] = ()
    id: str = "/id"
    state: str = "/state"
    prepared: tuple[str, ...] = ("created", "prepared")
    running: tuple[str, ...] = ("queued", "pending", "running")
    done: tuple[str, ...] = ("done", "completed", "succeeded")
    reason: str = "/reason"
    measure: dict[str, str]
    quality: str = ""
    good: tuple[str, ...] = ("good",)
    key_header: str = ""
    honours_keys: bool = False
    absence_is_proof: bool = False
    places: Annotated[int, Meta(ge=1, description="1 or more")] = 1

    def check(self) -> None:
        """Every parameter goes somewhere, every hole can be filled, every pointer is one."""
        super().check()
        begin = [one for one in (self.create, self.start) if one is not None]
        sent = set().union(*(one.asks_for() for one in begin))
        if self.set is None and (lost := [name for name in self.settings if name not in sent]):
            raise bad("start", self.start.path, f"write {{{lost[0]}}} where it belongs, or say how to `set` it")
        if strange := sent - OF_A_RUN - self.settings.keys():
            raise bad("start", self.start.path, f"no setting fills {{{min(strange)}}}: add it to settings")
        if self.create is None and "id" in self.start.asks_for():
            raise bad("start", self.start.path, "{id} is known only where `create` gives it")
        if self.set is not None and self.places > 1:
            raise bad("places", self.places, "settings made before the start are for one run at a time")
        if self.get is not None and self.set is None:
            raise bad("get", self.get.path, "nothing is set before the start: read back from the result, or `set`")
        if self.status is None and (self.find or self.create):
            raise bad("status", self.status, "say how to ask for a run that was found again")
        if self.honours_keys and not self.key_header and "key" not in sent:
            raise bad("honours_keys", self.honours_keys, "send the key: {key} in `start`, or key_header")
        pointers = {name: getattr(self, name) for name in ("id", "state", "reason", "quality")}
        pointers |= {f"measure.{name}": pointer for name, pointer in self.measure.items()}
        pointers |= {
            f"settings.{name}.read_back": str(one.read_back)
            for name, one in self.settings.items()
            if one.read_back is not None
        }
        for field, pointer in pointers.items():
            if not is_pointer(pointer):
                raise bad(field, pointer, "a JSON pointer begins with a slash: /values/yield")

    def reason_in(self, document: Any) -> str:
        """Why a run failed, as far as the service says it."""
        try:
            return str(at(document, self.reason))
        except NoSuchValueError:
            return str(document)[:300]
