"""A REST API as data: which request does what, with holes to be filled in and pointers into the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from titrant.errors import RunnerError
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Result
from titrant_adapters.shape.config import bad
from titrant_adapters.shape.documents import NoSuchValueError, at, fill, fill_path, holes, is_pointer, measured
from titrant_adapters.shape.http import Http, HttpConfig, HttpRunner
from titrant_adapters.shape.outcomes import Start
from titrant_adapters.shape.settings import Setting, Settings

OF_A_RUN = frozenset({"key", "trial", "id"})
"""Names in holes that are no parameters."""

NOTHING_AT_ROOT = frozenset({301, 302, 303, 307, 308, 404, 405})


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request; ``{name}`` in path, query and document is filled in.

    Attributes:
        path: Below the service's root.
        method: ``"GET"`` where nothing else is said.
        query: What stands after the question mark.
        json: The document sent along.
    """

    path: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    query: dict[str, Any] = {}
    json: Any = None

    def asks_for(self) -> set[str]:
        """The names in its holes."""
        return {*holes(self.path), *holes(self.query), *holes(self.json)}


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


async def send(http: Http, request: Request, values: Mapping[str, Any], **how: Any) -> Any:
    """Fill a request in and send it; gives the answer's document, or None where the status is an accepted error."""
    if request.query:
        how["params"] = fill(request.query, values)
    if request.json is not None:
        how["json"] = fill(request.json, values)
    answer = await http.ask(request.method, fill_path(request.path, values), **how)
    return answer.body if answer.status < 300 else None


async def identity(http: Http, request: Request | None) -> Any:
    """What a service says of itself; that it answers, and lets us in, is enough."""
    if request is not None:
        return await send(http, request, {})
    return await send(http, Request(path="/"), {}, accept=NOTHING_AT_ROOT)


class MappedRunner(HttpRunner[RestMapping]):
    """Sends the requests of a mapping, and reads the answers."""

    config_type = RestMapping

    @property
    def settings(self) -> Settings:
        """How parameters reach the service."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    def values(self, attempt: Attempt) -> dict[str, Any]:
        """What fills the holes: parameters as they are sent, the key, and what was recorded."""
        sent = {name: value for name, (_, value) in self.settings.outward(attempt.parameters).items()}
        return {**sent, "key": attempt.key, "trial": attempt.trial, **(attempt.metadata or {})}

    async def send(
        self, request: Request, values: Mapping[str, Any], start: Start, *, starts: bool = False, **how: Any
    ) -> Any:
        """Fill a request in and send it, what starts a run with its key; see ``send``."""
        if starts and self.config.key_header:
            how["headers"] = {self.config.key_header: values["key"]}
        return await send(self.http, request, values, start=start, starts=starts, **how)

    async def set(self, attempt: Attempt, start: Start) -> Parameterization:
        """Make the settings that are made before the start; gives what was not taken as it was meant."""
        config, values = self.config, self.values(attempt)
        to_set, to_read = config.set, config.get
        if to_set is None:
            return {}

        async def write(setting: Setting, value: Any) -> None:
            await self.send(to_set, {**values, "to": setting.to, "value": value}, start)

        if to_read is None:
            for setting, value in self.settings.outward(attempt.parameters).values():
                await write(setting, value)
            return {}

        async def read(setting: Setting) -> Any:
            return at(await self.send(to_read, {**values, "to": setting.to}, start), str(setting.read_back))

        return await self.settings.apply(attempt.parameters, write, read)

    async def result_of(self, document: Any, attempt: Attempt, executed: Parameterization) -> Result:
        """The data in a result, if it is to be believed, and what the result says was carried out."""
        config = self.config
        if config.quality and (word := at(document, config.quality)) not in config.good:
            raise RunnerError(f"there is a result, and its quality is {word!r}")

        async def read(setting: Setting) -> Any:
            return at(document, str(setting.read_back))

        if config.get is None:
            executed = await self.settings.compare(attempt.parameters, read)
        return Result(data=measured(document, config.measure) or None, executed=executed or None)
