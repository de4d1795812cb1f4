"""An export tells all that the log does, comes back as the same log, and is told from a tampered one by anybody."""

import ast
import csv
import json
import os
import random
import subprocess
import sys
import zipfile
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.export.stories import LOG_ID, Book, bare, story

from titrant import export as package
from titrant.errors import ExportCorrupt, ExportError, LogCorrupt, LogExists, LogMissing
from titrant.export import export, import_export, to_csv, to_html, to_jsonl
from titrant.export.page import ROWS
from titrant.log.heads import head
from titrant.log.replay import read_log
from titrant.log.verify import verify
from titrant.messages import events as e
from titrant.model.observation import Observation

FILES = ["events.jsonl", "manifest.json", "observations.csv", "summary.html", "trials.csv", "verify.py"]
SCRIPT = Path(package.__file__).with_name("verify.py")


@pytest.fixture(scope="module")
def book():
    return story()


@pytest.fixture
def log(book, tmp_path):
    return book.write(tmp_path / "lab.titrant")


@pytest.fixture
def out(log, tmp_path):
    export(log, tmp_path / "out")
    return tmp_path / "out"


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def checked(*arguments):
    """What the stand-alone checker says, without site packages and environment."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def rows(file):
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


# --- what is in it --------------------------------------------------------------------------------------------------


def test_an_export_has_these_files_and_their_hashes(out, book):
    assert sorted(contents(out)) == FILES
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["head"] == {"seq": len(book.rows), "hash": book.head.hash.hex()}
    assert manifest["counts"] == {"events": len(book.rows), "trials": 7, "observations": 7}
    assert manifest["log"]["log_id"] == LOG_ID
    for name in set(FILES) - {"manifest.json"}:
        data = (out / name).read_bytes()
        assert manifest["files"][name] == {"sha256": sha256(data).hexdigest(), "bytes": len(data)}


def test_a_line_of_the_events_has_the_payload_as_it_is_stored(out, book):
    lines = [json.loads(line) for line in (out / "events.jsonl").read_bytes().splitlines()]
    assert [tuple(line.values())[:15] for line in lines] == [row[:15] for row in book.rows]
    assert [line["hash"] for line in lines] == [row[15].hex() for row in book.rows]


def test_the_trials_have_plan_and_execution_results_and_times(out):
    trials = {row["trial"]: row for row in rows(out / "trials.csv")}
    assert [trials[index]["status"] for index in "0123456"] == [
        *("COMPLETED", "VOIDED", "COMPLETED", "FAILED", "COMPLETED", "COMPLETED", "COMPLETED")
    ]
    assert trials["0"]["origin"] == "baseline"
    assert (trials["4"]["executed.temperature"], trials["4"]["yield.mean"]) == ("55.5", "71.5")
    assert trials["4"]["planned.temperature"] != "55.5"
    assert trials["2"]["executed.temperature"] == ""
    assert (trials["5"]["attempts"], trials["5"]["runner"]) == ("2", "flow")
    assert trials["3"]["reason"] == "clogged"
    assert trials["6"]["missing"] == "yield"
    assert trials["1"]["created_at"].startswith("2026-09-21T14:13:")
    assert trials["4"]["saw_withdrawn"] == "1"


def test_the_observations_are_all_that_were_ever_recorded(out):
    told = [
        (row["trial"], row["mean"], row["status"], row["act"], row["actor"]) for row in rows(out / "observations.csv")
    ]
    assert ("4", "71.5", "ok", "corrected", "user:kim") in told
    assert ("6", "", "nan", "attached", "metric:yield") in told
    assert len([one for one in told if one[0] == "4"]) == 2


class Page(HTMLParser):
    """The text of a page and its tags; an open tag that is not closed is an error."""

    def __init__(self, data):
        super().__init__()
        self.tags, self.text, self.links, self.depth = [], "", [], []
        self.feed(data.decode())
        self.close()
        assert self.depth == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"}]
        if tag not in {"meta", "line", "path"}:
            self.depth.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.depth.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_else_and_nothing_in_it_came_in_unescaped(out):
    data = (out / "summary.html").read_bytes()
    page = Page(data)
    assert page.links == []
    assert "script" not in page.tags
    assert "b" not in page.tags
    for words in ("Suzuki <coupling> & “friends”", 'a "test" of </script> it all', "<b>rain</b> & thunder", "水"):
        assert words in page.text
    assert b"url(" not in data
    assert b"http" not in data.replace(b"http-equiv", b"")


def test_the_page_shows_the_best_people_signatures_and_the_head(out, log):
    page = Page((out / "summary.html").read_bytes())
    for words in (
        *(
            "yield = 71.5 ± 0.25",
            "temperature = 55.5",
            "the column was blocked",
            "user:kim",
            "analyst",
            "agent:planner",
        ),
        *("wrong dilution factor", "reviewed", "head of lab", "trial.voided", str(head(log)), "5 COMPLETED, 1 FAILED"),
    ):
        assert words in page.text, words
    assert page.tags.count("circle") == 4


def test_several_objectives_give_a_front_and_a_drawing_each(tmp_path):
    export(story("yield, -cost").write(tmp_path / "two.titrant"), tmp_path / "two")
    page = Page((tmp_path / "two" / "summary.html").read_bytes())
    assert "Recipes that no other beats in every objective" in page.text
    assert page.tags.count("svg") == 2


def test_a_page_of_very_many_trials_shows_the_first_and_the_last(tmp_path):
    book = story()
    for trial in range(7, ROWS + 107):
        book.add(e.TrialCreated(trial=trial, parameters={"temperature": 30.0, "solvent": "THF"}, asked=True))
        value = Observation("yield", float(trial % 89))
        book.add(e.DataAttached(trial=trial, observations=(value,)), e.TrialCompleted(trial=trial), actor="user:ada")
    to_html(book.write(tmp_path / "many.titrant"), tmp_path / "many.html")
    page = Page((tmp_path / "many.html").read_bytes())
    assert "107 trials in the middle are left out" in page.text
    assert "more are in events.jsonl" in page.text
    to_csv(tmp_path / "many.titrant", tmp_path / "many.csv")
    assert len(rows(tmp_path / "many.csv")) == ROWS + 107


@pytest.mark.parametrize("make", [Book, bare])
def test_a_log_with_next_to_nothing_in_it_can_be_exported(tmp_path, make):
    export(make().write(tmp_path / "lab.titrant"), tmp_path / "out")
    assert checked(tmp_path / "out" / "verify.py")[0] == 0
    import_export(tmp_path / "out", tmp_path / "again.titrant")


# --- there and back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_there_and_back_and_there_again_is_the_same_to_the_byte(log, tmp_path, name, book):
    export(log, tmp_path / name, parquet=True)
    imported = import_export(tmp_path / name, tmp_path / "again.titrant")
    assert imported == head(log) == head(tmp_path / "again.titrant")
    assert list(read_log(tmp_path / "again.titrant")) == list(read_log(log))
    assert verify(tmp_path / "again.titrant", book.head).ok
    export(tmp_path / "again.titrant", tmp_path / f"again-{name}", parquet=True)
    if name == "out":
        assert contents(tmp_path / "again-out") == contents(tmp_path / "out")
    else:
        assert (tmp_path / "again-out.zip").read_bytes() == (tmp_path / "out.zip").read_bytes()


def test_a_zip_file_holds_what_the_folder_holds(log, out, tmp_path):
    export(log, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents(out)


def test_an_imported_log_keeps_its_writers_epochs_and_triggers(tmp_path):
    book = Book()
    for book.epoch in (1, 2, 7):
        book.add(e.SessionOpened(engine="t", log_id=LOG_ID, seed=1))
    export(book.write(tmp_path / "lab.titrant"), tmp_path / "out")
    import_export(tmp_path / "out", tmp_path / "again.titrant")
    assert [record.epoch for record in read_log(tmp_path / "again.titrant")] == [1, 2, 7]
    assert verify(tmp_path / "again.titrant").ok
    if os.name == "posix":
        assert (tmp_path / "again.titrant").stat().st_mode & 0o777 == 0o600


def test_lines_alone_are_those_of_the_export(log, out, tmp_path):
    to_jsonl(log, tmp_path / "lines.jsonl")
    assert (tmp_path / "lines.jsonl").read_bytes() == (out / "events.jsonl").read_bytes()
    to_csv(log, tmp_path / "trials.csv")
    to_csv(log, tmp_path / "observations.csv", "observations")
    assert (tmp_path / "trials.csv").read_bytes() == (out / "trials.csv").read_bytes()
    assert (tmp_path / "observations.csv").read_bytes() == (out / "observations.csv").read_bytes()


# --- refusing -------------------------------------------------------------------------------------------------------


def test_nothing_is_ever_written_over(log, out, tmp_path):
    before = contents(out)
    for write in (export, to_csv, to_jsonl, to_html):
        with pytest.raises(ExportError, match="there is something at"):
            write(log, out)
    assert contents(out) == before
    with pytest.raises(LogExists, match="there is something at"):
        import_export(out, log)


def test_a_damaged_log_is_not_exported_and_nothing_is_left(book, tmp_path):
    book_rows = list(book.rows)
    book_rows[20] = (*book_rows[20][:7], "user:mallory", *book_rows[20][8:])
    forged = Book()
    forged.rows = book_rows
    forged.write(tmp_path / "lab.titrant")
    for name in ("out", "out.zip"):
        with pytest.raises(LogCorrupt, match="event 21"):
            export(tmp_path / "lab.titrant", tmp_path / name)
    assert {file.name.removesuffix("-wal").removesuffix("-shm") for file in tmp_path.iterdir()} == {"lab.titrant"}


def test_a_log_that_no_rule_allows_is_not_exported_but_told(tmp_path):
    book = bare()
    book.forge(e.TrialFailed(trial=3, reason="no"))
    with pytest.raises(LogCorrupt, match=r"event 2: 'trial\.failed' does not follow"):
        export(book.write(tmp_path / "lab.titrant"), tmp_path / "out")


def test_a_missing_log_or_export_is_told(tmp_path):
    with pytest.raises(LogMissing):
        export(tmp_path / "no.titrant", tmp_path / "out")
    for source in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ExportError, match="there is no export at"):
            import_export(source, tmp_path / "again.titrant")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_was_cut_short_is_in_the_way_until_somebody_removes_it(log, tmp_path):
    (tmp_path / "out.part").mkdir()
    with pytest.raises(ExportError, match=r"or one was cut short: if none is, remove .*out\.part"):
        export(log, tmp_path / "out")
    assert (tmp_path / "out.part").is_dir()


# --- the checker ----------------------------------------------------------------------------------------------------


def test_the_checker_is_short_and_runs_on_python_3_9():
    source = SCRIPT.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 200
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom | ast.Match) for node in ast.walk(tree))


def test_the_control_an_untouched_export_is_sound(out, log, tmp_path):
    code, said = checked(out / "verify.py")
    assert code == 0
    assert said.startswith("sound: 59 events of 7 trials, 1 signature\n")
    assert str(head(log)) in said
    assert "no head was given" in said
    export(log, tmp_path / "out.zip")
    assert checked(SCRIPT, tmp_path / "out.zip") == (0, said)
    assert "no head was given" not in checked(SCRIPT, out, head(log))[1]


def test_every_tampered_byte_is_found_by_the_checker_and_by_the_import(out, tmp_path):
    """Some 150 bytes in all files; the manifest's are found where they matter."""
    draw = random.Random(11)
    import importlib.util  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location("standalone", SCRIPT)
    checker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(checker)
    assert checker.check(str(out)).startswith("sound")
    for name in set(FILES) - {"manifest.json"}:
        data = (out / name).read_bytes()
        for _ in range(30):
            spoilt = bytearray(data)
            spoilt[draw.randrange(len(spoilt))] ^= 1 << draw.randrange(8)
            (out / name).write_bytes(spoilt)
            with pytest.raises(checker.Fault, match=r"event|changed"):
                checker.check(str(out))
            with pytest.raises(ExportCorrupt):
                import_export(out, tmp_path / "again.titrant")
            assert not (tmp_path / "again.titrant").exists()
        (out / name).write_bytes(data)
    assert checker.check(str(out)).startswith("sound")


def edit(lines, what):
    """Tamper with the events' lines."""
    match what:
        case "taken out":
            del lines[19]
        case "swapped":
            lines[19], lines[20] = lines[20], lines[19]
        case "put in":
            lines.insert(19, lines[18])
        case "cut off":
            del lines[19:]
        case "garbled":
            lines[19] = lines[19][:-10]
        case "no object":
            lines[19] = b"[]"
        case "doubly deep":
            lines[19] = b"[" * 100_000
        case "changed":
            lines[19] = lines[19].replace(b"metric:yield", b"metric:Yield")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("taken out", "event 20 is missing: event 21 comes next"),
        ("swapped", "event 20 is missing: event 21 comes next"),
        ("put in", "event 20 is missing: event 19 comes next"),
        ("cut off", "ends at event 19 with the hash"),
        ("garbled", "event 20 cannot be read"),
        ("no object", "event 20 cannot be read"),
        ("doubly deep", "event 20 cannot be read"),
        ("changed", "event 20: its hash does not fit"),
    ],
)
def test_the_first_fault_of_the_events_is_named(out, tmp_path, what, words):
    lines = (out / "events.jsonl").read_bytes().splitlines()
    edit(lines, what)
    (out / "events.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    code, said = checked(out / "verify.py")
    assert code == 1
    assert words in said
    with pytest.raises(ExportCorrupt, match=r"20|19"):
        import_export(out, tmp_path / "again.titrant")


def test_a_history_written_anew_as_a_whole_is_told_by_a_head_published_before(log, tmp_path, book):
    published = tmp_path / "head.txt"
    published.write_text(f"{head(log)}\n", encoding="utf-8")
    other = story(name="Another")
    export(other.write(tmp_path / "other.titrant"), tmp_path / "other")
    assert checked(tmp_path / "other" / "verify.py")[0] == 0
    for given in (published, head(log), f"{len(book.rows)}:{book.head.hash.hex()}"):
        code, said = checked(SCRIPT, tmp_path / "other", given)
        assert (code, "rewritten at or before event 59" in said) == (1, True)
    short = Book()
    short.rows = book.rows[:30]
    export(short.write(tmp_path / "short.titrant"), tmp_path / "short")
    code, said = checked(SCRIPT, tmp_path / "short", published)
    assert (code, "truncated: it ends at event 30, and the head published is event 59" in said) == (1, True)
    code, said = checked(SCRIPT, tmp_path / "other", f"titrant-head {'ef' * 16} 3 {'0' * 64}")
    assert (code, "is of the log efef" in said) == (1, True)


def test_a_signature_of_something_else_is_found_by_the_checker(tmp_path, book):
    forged = bare()
    forged.forge(e.HeadSigned(meaning="approved", seq=1, hash="0" * 64), actor="user:lee")
    export(forged.write(tmp_path / "lab.titrant"), tmp_path / "out")
    code, said = checked(tmp_path / "out" / "verify.py")
    assert (code, said.strip()) == (1, "FAULT: event 2: user:lee signed something else than stands here")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("manifest.json", b"{}", "manifest.json cannot be read"),
        ("manifest.json", b"\xff", "manifest.json cannot be read"),
        ("manifest.json", None, "it has no manifest.json"),
        ("trials.csv", None, "trials.csv is missing"),
        ("events.jsonl", None, "events.jsonl is missing"),
        ("events.jsonl", b"", "ends at event 0"),
    ],
)
def test_a_broken_export_is_told_and_there_is_no_traceback(out, tmp_path, file, content, words):
    if content is None:
        (out / file).unlink()
    else:
        (out / file).write_bytes(content)
    code, said = checked(SCRIPT, out)
    assert code in {1, 2}
    assert words in said
    with pytest.raises(ExportError):
        import_export(out, tmp_path / "again.titrant")


def test_a_file_that_came_later_is_named_and_is_no_fault(out):
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    code, said = checked(SCRIPT, out)
    assert (code, "not part of the export, and not checked: notes.txt" in said) == (0, True)


@pytest.mark.parametrize("arguments", [["nowhere"], ["--help"], ["a", "b", "c"], [".", "no head"], [__file__]])
def test_what_the_checker_cannot_check_ends_with_2(arguments, tmp_path):
    assert checked(SCRIPT, *arguments)[0] == 2


def test_a_newer_export_is_told(out, tmp_path):
    text = (out / "manifest.json").read_text(encoding="utf-8").replace('"version": 1', '"version": 2')
    (out / "manifest.json").write_text(text, encoding="utf-8")
    assert checked(SCRIPT, out)[0] == 2
    with pytest.raises(ExportError, match="update titrant"):
        import_export(out, tmp_path / "again.titrant")
