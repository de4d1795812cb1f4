"""What a person writes down for an adapter: checked when it is read, with errors that say what to do."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Self, get_args, get_type_hints

import msgspec
from msgspec import Meta

from titrant.errors import ConfigurationError
from titrant_adapters.shape.secret import Secret

Seconds = Annotated[float, Meta(gt=0, description="seconds, more than 0")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port, 1 to 65535")]


def bad(field: str, value: object, remedy: str) -> ConfigurationError:
    """An error that names the field, its value and what to do; for ``raise``."""
    return ConfigurationError(f"{field} is {value!r}: {remedy}")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every adapter's configuration.

    Types and bounds of the fields hold however it is made; what concerns several fields goes into ``check``, which
    raises ``bad(...)``.  JSON Schema comes from the same types.
    """

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Make one from plain values, as they stand in an experiment file.

        Raises:
            ConfigurationError: A field is missing, unknown or wrong.
        """
        unknown = [name for name in values if name not in cls.__struct_fields__]
        if unknown:
            meant = difflib.get_close_matches(unknown[0], cls.__struct_fields__, 1)
            told = f"did you mean {meant[0]!r}?" if meant else f"it has {', '.join(cls.__struct_fields__)}"
            raise ConfigurationError(f"there is no field {unknown[0]!r}: {told}")
        try:
            return msgspec.convert(values, cls, dec_hook=_decoded)
        except msgspec.ValidationError as exc:
            what, _, where = str(exc).partition(" - at `$")
            field = where.strip("`").lstrip(".")
            if isinstance(exc.__cause__, ConfigurationError):
                raise ConfigurationError(f"{field}: {exc.__cause__}" if field else str(exc.__cause__)) from exc
            if not field:
                raise ConfigurationError(f"{what[:1].lower()}{what[1:]}") from exc
            raise _wrong(cls, field, _at(values, field), what) from exc

    def __post_init__(self) -> None:
        for name, kind in _hints(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, float) and not math.isfinite(value):
                raise bad(name, value, "give a finite number")
            try:
                msgspec.convert(value, kind, dec_hook=_decoded)
            except msgspec.ValidationError as exc:
                raise _wrong(type(self), name, value, str(exc)) from exc
        self.check()

    def check(self) -> None:
        """Look at fields together; to be overridden.

        Raises:
            ConfigurationError: They do not fit; see ``bad``.
        """

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its JSON Schema, with ``Secret``s as texts that tools should not show."""
        return msgspec.json.schema(cls, schema_hook=_schema)


def _wrong(kind: type[Config], field: str, value: object, what: str) -> ConfigurationError:
    said = what.partition(" - at ")[0]
    hint = _hints(kind).get(field.partition("[")[0].partition(".")[0])
    notes = [one.description for one in getattr(hint, "__metadata__", ()) if isinstance(one, Meta) and one.description]
    if hint is Secret or Secret in get_args(hint):
        value = "***"
    remedy = f"{said[:1].lower()}{said[1:]}" + "".join(f" (give {note})" for note in notes)
    return bad(field, value, remedy)


def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in getattr(kind, "__struct_fields__", ())}


def _at(values: Any, field: str) -> Any:
    for step in re.findall(r"[^.\[\]]+", field):
        if isinstance(values, Mapping) and step in values:
            values = values[step]
        elif isinstance(values, list | tuple) and step.isdigit() and int(step) < len(values):
            values = values[int(step)]
        else:
            return "..."
    return values


def _decoded(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, Secret | str):
        return value if isinstance(value, Secret) else Secret(value)
    raise TypeError(f"expected {kind.__name__.lower()} as a text, got {type(value).__name__}")  # msgspec adds the place


def _schema(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "format": "password"}
    raise NotImplementedError(kind)
