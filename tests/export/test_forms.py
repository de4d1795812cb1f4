"""Other programs read what is exported for them: their own libraries say so."""

import json
import subprocess
import sys
import tracemalloc

import anyio
import pyarrow.parquet
import pytest
from prov.model import ProvActivity, ProvAgent, ProvDocument, ProvEntity, ProvInvalidation
from rocrate.rocrate import ROCrate
from tests.export.stories import LOG_ID, bare, story

from titrant.errors import ExportError, LogCorrupt, LogExists, LogMissing
from titrant.export import backup, export, import_export, to_csv, to_jsonl, to_parquet, to_prov, to_ro_crate
from titrant.log.base import Append, Draft
from titrant.log.heads import head
from titrant.log.replay import read_log
from titrant.log.sqlite import SqliteLog
from titrant.log.verify import verify
from titrant.messages import events as e


@pytest.fixture(scope="module")
def book():
    return story()


@pytest.fixture
def log(book, tmp_path):
    return book.write(tmp_path / "lab.titrant")


def names(folder):
    """The files in a folder, but for what SQLite keeps beside a log that somebody reads."""
    return {file.name.removesuffix("-wal").removesuffix("-shm") for file in folder.iterdir()}


# --- Parquet --------------------------------------------------------------------------------------------------------


def test_the_trials_as_parquet_have_types(log, tmp_path):
    to_parquet(log, tmp_path / "trials.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "trials.parquet")
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert kinds["created_at"] == "timestamp[us, tz=UTC]"
    assert (kinds["planned.temperature"], kinds["planned.solvent"], kinds["trial"]) == ("double", "string", "int64")
    assert (kinds["yield.mean"], kinds["seconds"]) == ("double", "double")
    rows = table.to_pylist()
    assert [row["trial"] for row in rows] == list(range(7))
    assert (rows[4]["executed.temperature"], rows[4]["yield.mean"]) == (55.5, 71.5)
    assert rows[3]["yield.mean"] is None


def test_the_observations_as_parquet_are_those_of_the_csv(log, tmp_path):
    to_parquet(log, tmp_path / "observations.parquet", "observations")
    to_csv(log, tmp_path / "observations.csv", "observations")
    table = pyarrow.parquet.read_table(tmp_path / "observations.parquet")
    assert table.num_rows == len((tmp_path / "observations.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert str(table.schema.field("mean").type) == "double"


def test_a_log_without_trials_gives_empty_tables(tmp_path):
    path = bare().write(tmp_path / "bare.titrant")
    for which in ("trials", "observations"):
        to_parquet(path, tmp_path / f"{which}.parquet", which)
        assert pyarrow.parquet.read_table(tmp_path / f"{which}.parquet").num_rows == 0


# --- RO-Crate -------------------------------------------------------------------------------------------------------


def test_a_crate_is_read_by_the_library_of_ro_crate(log, tmp_path):
    made = to_ro_crate(log, tmp_path / "crate", license="https://creativecommons.org/licenses/by/4.0/")
    crate = ROCrate(tmp_path / "crate")
    assert crate.version == "1.2"
    assert crate.name == "Suzuki <coupling> & “friends”"
    assert crate.license.id == "https://creativecommons.org/licenses/by/4.0/"
    assert str(crate.root_dataset["datePublished"]).startswith("2026-09-21")
    named = {entity.id for entity in crate.data_entities}
    assert named == {*made.files, "manifest.json"}
    assert all((tmp_path / "crate" / name).is_file() for name in named)
    assert crate.get("events.jsonl")["sha256"] == made.files["events.jsonl"].sha256
    people = crate.get_by_type("Person")
    assert {(one["name"], one.get("jobTitle")) for one in people} >= {("kim", "analyst"), ("lee", "head of lab")}
    assert LOG_ID in crate.root_dataset["identifier"]


def test_a_crate_is_an_export_too_and_the_same_each_time(log, tmp_path):
    for name in ("one", "two"):
        to_ro_crate(log, tmp_path / name)
    one, two = ((tmp_path / name / "ro-crate-metadata.json").read_bytes() for name in ("one", "two"))
    assert one == two
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "one" / "verify.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "not part of the export, and not checked: ro-crate-metadata.json" in done.stdout
    assert import_export(tmp_path / "one", tmp_path / "again.titrant") == head(log)


def test_the_metadata_says_which_version_of_ro_crate_it_keeps(log, tmp_path):
    to_ro_crate(log, tmp_path / "crate")
    graph = json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_bytes())
    assert graph["@context"] == "https://w3id.org/ro/crate/1.2/context"
    about = next(one for one in graph["@graph"] if one["@id"] == "ro-crate-metadata.json")
    assert about["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    root = next(one for one in graph["@graph"] if one["@id"] == "./")
    assert {"name", "description", "datePublished", "license", "hasPart"} <= root.keys()


# --- PROV -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def document(log, tmp_path):
    to_prov(log, tmp_path / "prov.json")
    return ProvDocument.deserialize(tmp_path / "prov.json")


def related(document, kind, one, other):
    """Whether two things stand in a relation, by their local names."""
    return (one, other) in {
        tuple(value.localpart for _, value in record.formal_attributes[:2] if value is not None)
        for record in document.get_records()
        if record.get_type().localpart == kind
    }


def test_trials_are_activities_conditions_and_results_entities_and_who_acted_agents(document):
    activities = {record.identifier.localpart for record in document.get_records(ProvActivity)}
    assert {f"trial-{index}" for index in range(7)} <= activities
    entities = {record.identifier.localpart for record in document.get_records(ProvEntity)}
    assert {"conditions-4", "suggestion-4", "result-4", "executed-4-1", "head-57"} <= entities
    agents = {str(record.get_attribute("prov:label").pop()) for record in document.get_records(ProvAgent)}
    assert {"user:kim", "user:lee", "agent:planner", "runner:flow"} - agents == {"agent:planner"}  # it changed nothing


def test_a_model_s_suggestion_is_derived_from_the_results_it_had_seen(document):
    assert related(document, "Generation", "result-1", "trial-1")
    assert related(document, "Derivation", "conditions-4", "suggestion-4")
    assert related(document, "Derivation", "suggestion-4", "data-3")
    assert related(document, "Membership", "data-3", "result-2")
    assert related(document, "Derivation", "data-3", "data-2")
    assert not related(document, "Derivation", "suggestion-1", "data-1")  # a design looks at no result


def test_a_withdrawn_result_is_invalidated_and_a_corrected_one_revised(document):
    gone = {record.formal_attributes[0][1].localpart for record in document.get_records(ProvInvalidation)}
    assert gone == {"result-1", "result-2"}
    assert related(document, "Derivation", "result-4-1", "result-4")
    assert related(document, "Association", "void-1-1", "agent-user_3a_kim")
    assert related(document, "Usage", "sign-57-1", "head-57")


def test_prov_n_is_the_same_document(log, document, tmp_path):
    to_prov(log, tmp_path / "history.provn")
    text = (tmp_path / "history.provn").read_text(encoding="utf-8")
    assert text.startswith("document\n")
    assert sorted(text.splitlines()) == sorted(document.get_provn().splitlines())
    assert text.rstrip().endswith("endDocument")


# --- without the extras ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "missing", "extra"),
    [(to_parquet, "pyarrow", "parquet"), (to_prov, "prov.model", "prov"), (to_ro_crate, "rocrate.rocrate", "ro-crate")],
)
def test_a_missing_library_is_told_with_the_command(log, tmp_path, monkeypatch, write, missing, extra):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"pip install 'titrant\[{extra}\]'"):
        write(log, tmp_path / "out")
    assert names(tmp_path) == {"lab.titrant"}


def test_the_package_loads_none_of_them():
    heavy = ("pyarrow", "prov", "rocrate", "jinja2", "pandas", "torch", "rich", "typer")
    code = f"import sys, titrant.export; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- backup ---------------------------------------------------------------------------------------------------------


def test_a_backup_is_the_same_log_in_one_file(log, book, tmp_path):
    verdict = backup(log, tmp_path / "copy.titrant")
    assert verdict.ok
    assert verdict.head == head(log)
    assert list(read_log(tmp_path / "copy.titrant")) == list(read_log(log))
    assert names(tmp_path) == {"copy.titrant", "lab.titrant"}
    assert not (tmp_path / "copy.titrant-wal").exists()
    assert verify(tmp_path / "copy.titrant", book.head).ok


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_backup_of_a_log_that_is_written_is_sound_and_holds_nobody_up(tmp_path):
    log = await SqliteLog.create(tmp_path / "live.titrant", log_id=LOG_ID, now=1, engine="t")
    note = Append(drafts=tuple(Draft(event=e.NoteAdded(text="x" * 500), recorded_at=10) for _ in range(50)))
    done = False

    async def write():
        while not done:
            await log.commit([note])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        seen = []
        for number in range(5):
            verdict = await anyio.to_thread.run_sync(backup, log.path, tmp_path / f"{number}.titrant")
            seen.append(verdict.events)
            assert verdict.events % 50 == 0, "a commit is in it as a whole, or not"
        done = True
    assert seen == sorted(seen)
    await log.close()
    again = await SqliteLog.open(tmp_path / "4.titrant", now=20)  # and it can be gone on with
    await again.commit([note])
    await again.close()
    assert verify(tmp_path / "4.titrant").events == seen[-1] + 50


def test_a_backup_never_writes_over_anything(log, tmp_path):
    with pytest.raises(LogExists):
        backup(log, log)
    (tmp_path / "there").mkdir()
    with pytest.raises(LogExists):
        backup(log, tmp_path / "there")
    with pytest.raises(LogMissing):
        backup(tmp_path / "no.titrant", tmp_path / "copy.titrant")
    assert not (tmp_path / "copy.titrant").exists()


def test_a_damaged_log_is_not_backed_up(book, tmp_path):
    forged = bare()
    forged.rows += [(*book.rows[1][:7], "user:mallory", *book.rows[1][8:])]
    forged.write(tmp_path / "lab.titrant")
    with pytest.raises(LogCorrupt, match="event 2: its hash does not fit"):
        backup(tmp_path / "lab.titrant", tmp_path / "copy.titrant")
    assert names(tmp_path) == {"lab.titrant"}


def test_a_folder_that_is_not_there_is_told(log, tmp_path):
    with pytest.raises(ExportError, match="cannot be written"):
        to_jsonl(log, tmp_path / "no" / "out.jsonl")


# --- memory ---------------------------------------------------------------------------------------------------------


def test_an_export_needs_no_more_memory_for_more_events_of_the_same_trials(tmp_path):
    def peak(notes):
        made = bare()
        for _ in range(notes):
            made.forge(e.NoteAdded(text="x" * 200))
        path = made.write(tmp_path / f"{notes}.titrant")
        export(path, tmp_path / f"warm-{notes}")
        tracemalloc.start()
        export(path, tmp_path / f"{notes}")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # Events are read by the thousand, three thousand at a time: of 5,000 the reader is not always that far ahead once.
    assert peak(40_000) < 1.3 * peak(10_000)
