"""Names in a file become runners, metrics and generators: by entry point or ``module:attribute``."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path as FilePath
from typing import Any, TypeVar

import msgspec

from titrant.definition.file import MetricPart, Part, RunnerPart
from titrant.definition.meaning import is_reference
from titrant.definition.problems import Path, Problem, suggestion
from titrant.definition.reading import Loaded
from titrant.errors import ConfigurationError, DefinitionError
from titrant.generators.base import Generator
from titrant.ports import FunctionRunner

T = TypeVar("T", bound=Part)

RUNNERS, METRICS, GENERATORS = "titrant.runners", "titrant.metrics", "titrant.generators"
"""Groups of entry points."""

_OVERRIDES = ("name", "capacity", "call_deadline_s", "run_deadline_s", "min_seconds_between_polls", "on_unknown")


class Connected(msgspec.Struct, frozen=True):
    """The objects a file names."""

    runners: tuple[Any, ...] = ()
    metrics: tuple[Any, ...] = ()
    generator: Generator | None = None

    @property
    def virtual_time(self) -> bool:
        """Whether everything waits on the engine's clock, so that it may run in virtual time."""
        return bool(self.runners) and all(getattr(one, "virtual_time", False) for one in self.runners)


class Unconnected(ConfigurationError):
    """A part of a file cannot be made."""


def connect(loaded: Loaded) -> Connected:
    """Make everything the file names.

    Raises:
        DefinitionError: A name leads nowhere, or something cannot be made; all such faults are named.
    """
    connected, problems = attempt(loaded)
    if problems:
        raise DefinitionError(str(loaded.path), problems)
    return connected


def attempt(loaded: Loaded) -> tuple[Connected, tuple[Problem, ...]]:
    """Make what can be made of what the file names, and say why the rest cannot."""
    find_modules_in(loaded.folder)
    file = loaded.file
    problems: list[Problem] = []

    def made(path: Path, part: T, make: Callable[[T], Any]) -> list[Any]:
        try:
            return [make(part)]
        except Unconnected as exc:
            problems.append(loaded.problem(path, str(exc)))
            return []

    runners = [one for at, part in enumerate(file.runners) for one in made(("runners", at), part, runner)]
    metrics = [one for at, part in enumerate(file.metrics) for one in made(("metrics", at), part, metric)]
    generators = [] if file.generator is None else made(("generator",), file.generator, generator)
    return Connected(tuple(runners), tuple(metrics), next(iter(generators), None)), tuple(problems)


def find_modules_in(folder: FilePath) -> None:
    """Let modules beside the file be imported, as those beside a script are."""
    named = str(folder.absolute())
    if named not in sys.path:
        sys.path.insert(0, named)


def runner(part: RunnerPart) -> Any:
    """The runner a part of a file stands for.

    Raises:
        Unconnected: Its name leads nowhere, it cannot be made, or it is no runner.
    """
    target = resolve(RUNNERS, part.use)
    with_ = _values(part.with_)
    if _is_runner(target) and not isinstance(target, type):
        if with_:
            raise Unconnected(f"{part.use} is there already, and takes no arguments: leave `with` out, or name a class")
        made = target
    elif _needs_conditions(target, with_):
        made = FunctionRunner(partial(target, **with_) if with_ else target, name=getattr(target, "__name__", part.use))
    else:
        made = _made(part.use, target, with_)
    if not _is_runner(made):
        raise Unconnected(
            f"{part.use} gives {type(made).__name__}, which is no runner: it needs run_trial and poll_trial, or run"
        )
    for name in _OVERRIDES:
        value = getattr(part, name)
        if value is not None:
            try:
                setattr(made, name, value)
            except AttributeError as exc:
                raise Unconnected(f"{part.use} does not let {name!r} be set: set it in its code") from exc
    return made


def metric(part: MetricPart) -> Any:
    """The metric a part of a file stands for.

    Raises:
        Unconnected: Its name leads nowhere, it cannot be made, or it is no metric.
    """
    with_ = _values(part.with_)
    made = _made(part.use, resolve(METRICS, part.use), with_ if part.name is None else {"name": part.name} | with_)
    if not callable(getattr(made, "fetch", None)) or not isinstance(getattr(made, "name", None), str):
        raise Unconnected(f"{part.use} gives {type(made).__name__}, which is no metric: it needs `name` and `fetch`")
    return made


def generator(part: Part) -> Generator:
    """The generator a part of a file stands for.

    Raises:
        Unconnected: Its name leads nowhere, it cannot be made, or it is no generator.
    """
    made = _made(part.use, resolve(GENERATORS, part.use), _values(part.with_))
    if not callable(getattr(made, "suggest", None)):
        raise Unconnected(f"{part.use} gives {type(made).__name__}, which is no generator: it needs `suggest`")
    found: Generator = made
    return found


def resolve(group: str, use: str) -> Any:
    """What a name stands for.

    Raises:
        Unconnected: There is nothing of that name, or its module cannot be imported.
    """
    if ":" in use:
        module, _, attribute = use.partition(":")
        return _attribute(module, attribute)
    found = {one.name: one for one in entry_points(group=group)}
    if use not in found:
        raise Unconnected(
            f"there is no {use!r} among the {group} installed ({suggestion(use, list(found))}); write module:attribute"
        )
    return _attribute(found[use].module, found[use].attr)


def _attribute(module: str, attribute: str) -> Any:
    if not module or not attribute or not all(part.isidentifier() for part in f"{module}.{attribute}".split(".")):
        raise Unconnected(f"{module}:{attribute} is no name of the form module:attribute")
    try:
        target: Any = import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (module == exc.name or module.startswith(f"{exc.name}.")):
            raise Unconnected(
                f"there is no module {exc.name!r}: put {exc.name}.py beside the file, or install it"
            ) from exc
        raise Unconnected(f"{module} cannot be imported: it needs {exc.name!r}, which is not installed") from exc
    except Exception as exc:  # a foreign module may raise anything
        raise Unconnected(f"{module} cannot be imported: {type(exc).__name__}: {exc}") from exc
    for step in attribute.split("."):
        if not hasattr(target, step):
            known = [name for name in vars(target) if not name.startswith("_")] if hasattr(target, "__dict__") else []
            raise Unconnected(f"{module} has no {step!r}: {suggestion(step, known)}")
        target = getattr(target, step)
    return target


def _made(use: str, target: Any, with_: dict[str, Any]) -> Any:
    if not callable(target):
        if with_:
            raise Unconnected(f"{use} is there already, and takes no arguments: leave `with` out, or name a class")
        return target
    try:
        inspect.signature(target).bind(**with_)
    except TypeError as exc:
        known = ", ".join(inspect.signature(target).parameters)
        raise Unconnected(
            f"{use} cannot be called with what `with` gives: {exc} (it takes {known or 'nothing'})"
        ) from exc
    except ValueError:  # a builtin without a signature: calling it will tell
        pass
    try:
        return target(**with_)
    except Exception as exc:  # foreign code may raise anything
        raise Unconnected(f"{use} could not be made: {type(exc).__name__}: {exc}") from exc


def _is_runner(target: Any) -> bool:
    return any(callable(getattr(target, name, None)) for name in ("run_trial", "run"))


def _needs_conditions(target: Any, with_: Mapping[str, Any]) -> bool:
    """Whether a function needs just one argument beside *with_*: then it is a runner, and not what makes one."""
    if isinstance(target, type) or not callable(target):
        return False
    try:
        signature = inspect.signature(target)
        signature.bind({}, **with_)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(**with_)
    except TypeError:
        return True
    return False


def _values(value: Any) -> Any:
    """The same with environment variables in the place of their names."""
    if is_reference(value):
        found = os.environ.get(value["env"])
        if found is None:
            raise Unconnected(f"the environment variable {value['env']} is not set: set it, and start again")
        return found
    if isinstance(value, dict):
        return {name: _values(one) for name, one in value.items()}
    return [_values(one) for one in value] if isinstance(value, list) else value
