"""An export as a research object (RO-Crate 1.2): the same files, and what they are in words that machines share."""

from __future__ import annotations

import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

from titrant.errors import ExportError
from titrant.export import manifest
from titrant.export.acts import Act
from titrant.export.forms import walked
from titrant.export.manifest import Manifest
from titrant.export.tables import when
from titrant.export.target import refuse_existing
from titrant.export.whole import CHECKER, OBSERVED, PAGE, TRIALS, Walk, export
from titrant.log.raw import RawLog

VERSION = "1.2"

_FILES = {
    manifest.EVENTS: ("application/jsonl", "every event, one a line, with the chain of hashes"),
    manifest.NAME: ("application/json", "the log's identity, its head and the hash of every file"),
    TRIALS: ("text/csv", "the trials, one a row"),
    OBSERVED: ("text/csv", "all observations that were ever recorded"),
    PAGE: ("text/html", "a summary for people"),
    CHECKER: ("text/x-python", "checks this export; needs nothing but Python"),
}


def to_ro_crate(path: str | Path, to: str | Path, *, license: str = "") -> Manifest:  # noqa: A002  RO-Crate's word
    """Export a log as a folder that is an RO-Crate: the whole export, and ``ro-crate-metadata.json``.

    Args:
        path: The log.
        to: The folder; there must be nothing yet.
        license: The address of a license for the data; RO-Crate wants one, so that all rights reserved is said where
            none is given.

    Raises:
        LogError: The log cannot be read, or is damaged; nothing was written.
        ExportError: There is something at *to* already, or it cannot be written.
        ImportError: rocrate is not installed; the message gives the command.
    """
    try:
        from rocrate.rocrate import ROCrate  # noqa: PLC0415  an extra
    except ImportError as exc:
        raise ImportError("an RO-Crate needs rocrate: pip install 'titrant[ro-crate]'") from exc
    to = Path(to).absolute()
    refuse_existing(to)
    try:
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as folder:
            whole = Path(folder) / "crate"
            made = export(path, whole)
            with RawLog(path) as log:
                walk = walked(log, until=made.head.seq)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the library, about itself
                crate = ROCrate(version=VERSION)
                _describe(crate, made, walk, whole, license)
                crate.metadata.write(whole)
            refuse_existing(to)
            whole.replace(to)
    except OSError as exc:
        raise ExportError(f"the RO-Crate cannot be written to {to}: {exc}") from exc
    return made


def _describe(crate: Any, made: Manifest, walk: Walk, whole: Path, license: str) -> None:  # noqa: A002
    from rocrate.model import ContextEntity, Person, SoftwareApplication  # noqa: PLC0415  an extra

    experiment = walk.state.experiment
    crate.name = experiment.name if experiment else f"log {made.log.log_id}"
    words = f"{made.counts.trials} trials in {made.counts.events} events, recorded by titrant"
    crate.description = f"{experiment.description}: {words}" if experiment and experiment.description else words
    crate.datePublished = _day(walk.told.last_at)
    crate.root_dataset["identifier"] = f"urn:titrant:{made.log.log_id}:{made.head.seq}:{made.head.hash}"
    if license:
        crate.license = crate.add(ContextEntity(crate, license, {"@type": "CreativeWork", "name": license}))
    else:
        none = {"@type": "CreativeWork", "name": "all rights reserved", "description": "no license was given"}
        crate.license = crate.add(ContextEntity(crate, "#license", none))
    for name, (kind, about) in _FILES.items():
        sums = made.files.get(name)
        about_it: dict[str, Any] = {"name": name, "description": about, "encodingFormat": kind}
        if sums is not None:
            about_it |= {"contentSize": str(sums.bytes), "sha256": sums.sha256}
        crate.add_file(whole / name, name, properties=about_it)
    people = {act.actor: act for act in (*walk.told.acts, *walk.told.signatures) if act.actor.startswith("user:")}
    authors = [crate.add(Person(crate, _person(actor), _about(act))) for actor, act in sorted(people.items())]
    if authors:
        crate.root_dataset["author"] = authors
    engine = {"name": "titrant", "softwareVersion": made.titrant, "url": "https://github.com/titrant/titrant"}
    program = crate.add(SoftwareApplication(crate, "#titrant", engine))
    run = {
        "@type": "CreateAction",
        "name": crate.name,
        "startTime": when(walk.told.first_at),
        "endTime": when(walk.told.last_at),
    }
    action = crate.add(ContextEntity(crate, "#experiment", run))
    action["instrument"] = program
    action["result"] = crate.root_dataset
    if authors:
        action["agent"] = authors
    crate.root_dataset["mentions"] = action
    if walk.state.optimization is not None:
        metrics = [
            crate.add(ContextEntity(crate, f"#metric-{_slug(name)}", {"@type": "PropertyValue", "name": name}))
            for name in walk.state.optimization.metric_names
        ]
        crate.root_dataset["variableMeasured"] = metrics


def _day(at: int) -> str:
    return (when(at) or "1970-01-01")[:10]


def _about(act: Act) -> dict[str, Any]:
    name = act.actor.removeprefix("user:")
    return {"name": name, "jobTitle": act.role} if act.role else {"name": name}


def _person(actor: str) -> str:
    return f"#person-{_slug(actor.removeprefix('user:'))}"


def _slug(text: str) -> str:
    """A name as part of an identifier, different ones staying different."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found[0]):x}.", text)
