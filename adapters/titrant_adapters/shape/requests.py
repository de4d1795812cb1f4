"""One request of a REST API as data, with holes to be filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from titrant_adapters.shape.documents import fill, fill_path, holes
from titrant_adapters.shape.http import Http

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
