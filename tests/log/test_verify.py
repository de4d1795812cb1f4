"""An audit finds what was changed, cut off, put in or never legal, names the first such event, and nothing else."""

import random
import re
import sqlite3
import tracemalloc
from collections import Counter
from hashlib import sha256

import pytest
from tests.export.stories import LOG_ID, META, Book, bare, story
from tests.rules import plausible

from titrant.errors import CommandRefused, ConfigurationError, LogMissing, NotALog
from titrant.log import schema
from titrant.log.base import Append, Draft, Head
from titrant.log.chain import COLUMNS, encode_envelope, genesis, link
from titrant.log.filling import fill
from titrant.log.heads import PublishedHead, head, parse_head, read_head
from titrant.log.legality import Legality, Stand
from titrant.log.snapshots import pack
from titrant.log.sqlite import SqliteLog
from titrant.log.verify import verify
from titrant.messages import events as e
from titrant.messages.codec import decode
from titrant.model.experiment import RunOptions
from titrant.model.observation import Observation
from titrant.model.trial import TrialStatus
from titrant.rules.decide import step
from titrant.rules.evolve import evolve
from titrant.rules.state import State

Y = Observation("yield", 1.0)


@pytest.fixture(scope="module")
def book():
    return story()


@pytest.fixture
def log(book, tmp_path):
    return book.write(tmp_path / "lab.titrant")


@pytest.fixture
def edit(log):
    """A connection that may change anything: without triggers and in no hurry to sync."""
    connection = sqlite3.connect(log, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    connection.close()


def chained(rows, meta=META):
    """Rows numbered and hashed as if they had always been these."""
    names = ("log_id", "file_format", "created_at", "created_by", "hash_alg")
    previous = genesis(**dict(zip(names, meta, strict=True)))
    again = []
    for seq, row in enumerate(rows, 1):
        envelope = (seq, *row[1:14])
        previous = link(previous, encode_envelope(envelope), row[14].encode())
        again.append((*envelope, row[14], previous))
    return again


def forged(tmp_path, rows, **how):
    path = tmp_path / "forged.titrant"
    fill(path, META, chained(rows))
    return verify(path, **how)


def column(row, name, value):
    changed = list(row)
    changed[COLUMNS.index(name)] = value
    return tuple(changed)


# --- what is as it was ----------------------------------------------------------------------------------------------


def test_an_untouched_log_is_sound(log, book):
    verdict = verify(log, deep=True)
    assert verdict.fault is None
    assert verdict.ok
    assert (verdict.events, verdict.trials) == (len(book.rows), book.state.next_index)
    assert verdict.head == head(log) == PublishedHead(*_pair(book.head), LOG_ID)
    assert [(s.actor, s.role, s.meaning) for s in verdict.signatures] == [("user:lee", "head of lab", "reviewed")]
    assert str(verdict).startswith(f"all {len(book.rows)} events of 7 trials are sound, with 1 valid signature:")


def test_a_log_without_trials_and_one_without_events_are_sound(tmp_path):
    assert verify(bare().write(tmp_path / "bare.titrant")).ok
    empty = verify(Book().write(tmp_path / "empty.titrant"))
    assert empty.ok
    assert (empty.events, empty.head.seq) == (0, 0)
    assert empty.head == head(tmp_path / "empty.titrant")


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_the_size_of_a_chunk_makes_no_difference(log, edit, monkeypatch, chunk):
    monkeypatch.setattr("titrant.log.ahead.CHUNK", chunk)
    edit.executescript("".join(f"{trigger};" for trigger in schema.TRIGGERS))
    assert verify(log).ok
    edit.execute("DROP TRIGGER events_no_update")
    edit.execute("UPDATE events SET actor = 'user:mallory' WHERE seq = 20")
    assert verify(log).fault.seq == 20


def test_every_history_the_rules_allow_is_legal():
    """And the table says of every trial what the state says."""
    for seed in range(250):
        draw, state, legality, at = random.Random(seed), State(), Legality(), 1
        for _ in range(draw.choice((20, 60, 120))):
            at += draw.randint(0, 5)
            try:
                events, state = step(state, plausible.command(state, draw), at)
            except (CommandRefused, ConfigurationError):
                continue
            for event in events:
                assert legality.fault(event) is None, (seed, event)
        assert legality.trials == state.next_index
        for trial in state.trials():
            assert trial.status in MEANS[legality.stand(trial.index)], (seed, trial)


MEANS = {
    Stand.WAITING: (TrialStatus.CANDIDATE, TrialStatus.STAGED, TrialStatus.APPROVED),
    Stand.HELD: (TrialStatus.PROPOSED,),
    Stand.HELD_IN_HAND: (TrialStatus.PROPOSED,),
    Stand.FAILED_IN_HAND: (TrialStatus.FAILED,),
    Stand.REJECTED: (TrialStatus.REJECTED,),
    Stand.STALE: (TrialStatus.STALE,),
    Stand.IN_HAND: (TrialStatus.RUNNING,),
    Stand.SUBMITTING: (TrialStatus.SUBMITTING,),
    Stand.RUNNING: (TrialStatus.RUNNING,),
    Stand.AWAITING: (TrialStatus.RUNNING,),
    Stand.UNKNOWN: (TrialStatus.UNKNOWN,),
    Stand.SETTLED: (TrialStatus.RUNNING,),
    Stand.COMPLETED: (TrialStatus.COMPLETED,),
    Stand.FAILED: (TrialStatus.FAILED,),
    Stand.ABANDONED: (TrialStatus.ABANDONED,),
    Stand.EARLY_STOPPED: (TrialStatus.EARLY_STOPPED,),
    Stand.VOIDED: (TrialStatus.VOIDED,),
    Stand.VOIDED_EARLY_STOPPED: (TrialStatus.VOIDED,),
}


# --- what was changed -----------------------------------------------------------------------------------------------


def test_every_column_of_every_event_is_guarded(log, edit, book):
    """About 900 changes, one at a time; each is found at its event."""
    for row in book.rows:
        for name, value in zip(COLUMNS[1:], row[1:], strict=True):
            other = _other(name, value)
            edit.execute(f"UPDATE events SET {name} = ? WHERE seq = ?", (other, row[0]))
            verdict = verify(log)
            assert verdict.fault is not None, (row[0], name)
            assert (verdict.fault.seq, verdict.events) == (row[0], row[0] - 1), (row[0], name, verdict.fault)
            edit.execute(f"UPDATE events SET {name} = ? WHERE seq = ?", (value, row[0]))
    edit.executescript("".join(f"{trigger};" for trigger in schema.TRIGGERS))
    assert verify(log).ok


def _other(name, value):
    match value:
        case None:
            return 1 if name in {"trial", "observed_at", "cause"} else "x"
        case int():
            return value + 1
        case str():
            return value[:-1] + chr(ord(value[-1]) ^ 1)
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]


def test_every_single_byte_of_a_payload_is_guarded(log, edit, book):
    """600 bytes turned, whether text comes of it or not."""
    draw = random.Random(7)
    for _ in range(600):
        row = draw.choice(book.rows)
        data = bytearray(row[14].encode())
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        edit.execute("UPDATE events SET payload = CAST(? AS TEXT) WHERE seq = ?", (bytes(data), row[0]))
        assert verify(log).fault.seq == row[0]
        edit.execute("UPDATE events SET payload = ? WHERE seq = ?", (row[14], row[0]))


@pytest.mark.parametrize("added", ["\n", "\n\n", " ", "\r\n"])
@pytest.mark.parametrize("form", ["{payload}{added}", "{added}{payload}"])
def test_white_space_around_a_payload_is_a_change_too(log, edit, book, added, form):
    """Though it says the same: what was written is no longer there byte for byte."""
    for row in book.rows:
        changed = form.format(payload=row[14], added=added)
        edit.execute("UPDATE events SET payload = ? WHERE seq = ?", (changed, row[0]))
        assert verify(log).fault.seq == row[0]
        edit.execute("UPDATE events SET payload = ? WHERE seq = ?", (row[14], row[0]))


@pytest.mark.parametrize("seq", [1, 2, 30, 58])
def test_a_missing_event_is_named(log, edit, seq):
    edit.execute("DELETE FROM events WHERE seq = ?", (seq,))
    fault = verify(log).fault
    assert fault.seq == seq
    assert fault.what == f"it is missing: event {seq + 1} comes next"
    assert "taken out" in fault.meaning


def test_events_in_each_others_place_are_found(log, edit):
    edit.executescript(
        "UPDATE events SET seq = 1000 WHERE seq = 20; UPDATE events SET seq = 20 WHERE seq = 21;"
        "UPDATE events SET seq = 21 WHERE seq = 1000;"
    )
    assert verify(log).fault.seq == 20


def test_an_event_added_at_the_end_without_its_hash_is_found(log, edit, book):
    last = book.rows[-1]
    row = (last[0] + 1, *last[1:])
    edit.execute(schema.INSERT + schema.ROW, row)
    assert verify(log).fault.seq == last[0] + 1


@pytest.mark.parametrize("column", ["log_id", "format", "created_at", "created_by"])
def test_the_logs_own_identity_is_guarded_by_the_first_hash(log, edit, column):
    value = edit.execute(f"SELECT {column} FROM meta").fetchone()[0]
    edit.execute(f"UPDATE meta SET {column} = ?", (value + 1 if isinstance(value, int) else value + "x",))
    assert verify(log).fault.seq == 1


def test_a_missing_trigger_is_a_fault_of_the_log(log, edit):
    fault = verify(log).fault
    assert (fault.seq, fault.what) == (0, "the trigger events_in_order is missing or was changed")


def test_a_foreign_table_is_a_fault_of_the_log(log, edit):
    edit.execute("CREATE TABLE more(x)")
    verdict = verify(log)
    assert (verdict.fault.seq, verdict.events) == (0, 0)
    assert "CREATE TABLE more" in verdict.fault.what


def test_a_writer_behind_its_events_is_found(log, edit):
    edit.execute("UPDATE writer SET epoch = 0")
    assert verify(log).fault.what == "its writer's epoch is 0, and events were written in epoch 1"


def test_a_damaged_page_is_a_fault_or_harmless_and_no_traceback(log, tmp_path, book):
    content = bytearray(log.read_bytes())
    draw, found = random.Random(3), 0
    for _ in range(60):
        spoilt = bytearray(content)
        start = draw.randrange(100, len(spoilt) - 64)
        spoilt[start : start + 64] = draw.randbytes(64)
        copy = tmp_path / "copy.titrant"
        copy.write_bytes(spoilt)
        verdict = verify(copy)
        assert verdict.fault is not None or verdict.head.hash == book.head.hash, "free space was hit"
        found += not verdict.ok
        for suffix in ("-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    assert found > 15


# --- what was made anew, chain and all ------------------------------------------------------------------------------


def test_the_control_a_chain_made_anew_of_the_same_events_is_sound(tmp_path, book):
    assert forged(tmp_path, book.rows).head.hash == book.head.hash


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("recorded_at", 1, "it was recorded .* before the event before it"),
        ("epoch", 0, "its writer's epoch is 0, and epoch 1 had begun"),
        ("part", 5, "it is part 5 of its request, and the event before it is part"),
        ("cause", 30, "it names event 30 as its cause, which does not come before it"),
        ("cause", 99, "it names event 99 as its cause"),
        ("trial", 6, "its envelope names trial 6, its payload another"),
        ("type", "trial.failed", "the envelope says 'trial.failed', the payload"),
        ("type", "trial.sung", "it is 'trial.sung' with schema 1, which is not known"),
        ("schema", 2, "with schema 2, which is not known"),
        ("payload", "{}", "cannot be read"),
        ("payload", '{"type":"session.closed"}\n[30]', "cannot be read"),
    ],
)
def test_an_envelope_that_no_engine_wrote_is_found_behind_a_good_chain(tmp_path, book, name, value, words):
    rows = [column(row, name, value) if row[0] == 30 else row for row in book.rows]
    fault = forged(tmp_path, rows).fault
    assert fault.seq == 30
    assert re.search(words, fault.what), fault.what


def test_a_key_stands_for_one_request(tmp_path, book):
    rows = [column(row, "idem_key", "k") if row[0] in {10, 40, 50} else row for row in book.rows]
    fault = forged(tmp_path, rows).fault
    assert (fault.seq, fault.what) == (40, "its idempotency key 'k' stands for the request at event 10")
    first = next(row[0] for row in book.rows if row[1] == 1)  # two events of one request
    rows = [column(row, "idem_key", "k") if row[0] in {first - 1, first} else row for row in book.rows]
    (tmp_path / "forged.titrant").unlink()
    assert forged(tmp_path, rows[:57]).ok  # the signature at 58 is of the history as it was


def test_an_index_that_hides_a_key_is_found(log, edit, tmp_path, book):
    rows = [column(row, "idem_key", "k") if row[0] in {10, 40} else row for row in book.rows]
    forged(tmp_path, rows[:57])
    connection = sqlite3.connect(tmp_path / "forged.titrant", isolation_level=None)
    connection.execute("PRAGMA writable_schema=ON")
    partial = "CREATE INDEX events_key ON events(idem_key) WHERE idem_key IS NOT NULL"
    connection.execute("DROP INDEX events_key")
    connection.execute("CREATE INDEX events_key ON events(idem_key) WHERE idem_key = 'other'")
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'events_key'", (partial,))
    connection.close()
    assert verify(tmp_path / "forged.titrant").fault.what == "the index of idempotency keys lacks some that events have"


STEPS = {
    "completed without having been created": (0, e.TrialCompleted(trial=99)),
    "a negative number": (0, e.TrialCompleted(trial=-1)),
    "created out of order": (0, e.TrialCreated(trial=9, parameters={})),
    "created twice": (0, e.TrialCreated(trial=3, parameters={})),
    "a replicate of nothing": (0, e.TrialCreated(trial=7, parameters={}, replicate_of=12)),
    "running after completed": (0, e.TrialRunning(trial=2, attempt=1)),
    "submitted after completed": (0, e.TrialSubmitting(trial=2, runner="flow", attempt=2, key="k")),
    "failed after completed": (0, e.TrialFailed(trial=2, reason="")),
    "completed after failed": (0, e.TrialCompleted(trial=3)),
    "requeued after completed": (0, e.TrialRequeued(trial=2, reason="")),
    "resolved without being unknown": (0, e.TrialResolved(trial=2, outcome="completed", reason="")),
    "lost after completed": (0, e.TrialLost(trial=2, reason="")),
    "voided twice": (0, e.ResultVoided(trial=1, reason="")),
    "voided after failed": (0, e.ResultVoided(trial=3, reason="")),
    "restored without being voided": (0, e.ResultUnvoided(trial=2, reason="")),
    "corrected after failed": (0, e.ResultCorrected(trial=3, observations=(Y,), before=(), reason="")),
    "approved without being proposed": (0, e.TrialApproved(trial=2)),
    "proposed after completed": (0, e.TrialProposed(trial=2, rule="")),
    "data of nothing": (0, e.DataAttached(trial=40, observations=(Y,))),
    "fetched again after failed": (0, e.FetchRequested(trial=3, metrics=("yield",))),
    "a run within a run": (20, e.RunStarted(options=RunOptions(max_trials=1))),
    "an end without a run": (0, e.RunEnded(outcome="finished")),
    "a failure rate without a run": (0, e.FailureRateTripped(failed=1, total=1, tolerated=0.5)),
    "unpaused without a pause": (0, e.ExperimentUnpaused()),
    "reset without a halt": (0, e.ExperimentReset()),
    "a trial before there is a space": (1, e.TrialCreated(trial=0, parameters={})),
    "another log's session": (0, e.SessionOpened(engine="t", log_id="ef" * 16, seed=1)),
    "a note on nothing": (0, e.NoteAdded(text="hm", trial=30)),
    "a second attempt of nobody": (12, e.TrialRunning(trial=1, attempt=2)),
    "signed by an agent": (0, e.HeadSigned(meaning="approved", seq=1, hash="")),
    "a signed future": (0, e.HeadSigned(meaning="approved", seq=900, hash="")),
}


@pytest.mark.parametrize("what", STEPS)
def test_a_step_that_no_rule_allows_is_found_behind_a_good_chain(tmp_path, book, what):
    end, event = STEPS[what]
    kept = book.rows[: end or len(book.rows)]
    added = Book()
    added.rows, added.at, added.tail = list(kept), book.at, type(book.tail)(kept[-1][0], kept[-1][15], kept[-1][5])
    added.forge(event, actor="user:ada" if "signed by" not in what else "agent:x")
    added.forge(e.SessionClosed())
    verdict = verify(added.write(tmp_path / "forged.titrant"))
    assert (verdict.fault.seq, verdict.events) == (len(kept) + 1, len(kept)), verdict.fault
    assert verdict.fault.meaning


@pytest.mark.parametrize(("attempt", "words"), [(2, "as attempt 2 when 1"), (0, "attempt 0 when 1"), (1, "a key that")])
def test_attempts_count_up_each_under_its_own_key(tmp_path, book, attempt, words):
    seq = next(row[0] for row in book.rows if row[2] == "trial.submitting")
    payload = f'{{"type":"trial.submitting","trial":1,"runner":"flow","attempt":{attempt},"key":"{"0" * 32}"}}'
    fault = forged(tmp_path, [column(row, "payload", payload) if row[0] == seq else row for row in book.rows]).fault
    assert fault.seq == seq
    assert words in fault.what


def test_every_legal_event_taken_out_shows_at_once_or_against_a_head(tmp_path, book):
    """Of a chain made anew only what the rules forbid shows; the head that was published shows everything."""
    shown = Counter()
    for seq in range(1, len(book.rows) + 1):
        path = tmp_path / f"{seq}.titrant"
        fill(path, META, chained([row for row in book.rows if row[0] != seq]))
        shown["by itself"] += not verify(path).ok
        shown["against the head"] += not verify(path, book.head).ok
    assert shown["against the head"] == len(book.rows)
    assert shown["by itself"] > len(book.rows) // 2


# --- heads and signatures -------------------------------------------------------------------------------------------


def test_a_log_that_was_cut_short_is_sound_alone_and_truncated_against_its_head(tmp_path, book):
    rows = book.rows[:40]
    fill(tmp_path / "cut.titrant", META, rows)
    assert verify(tmp_path / "cut.titrant").ok
    fault = verify(tmp_path / "cut.titrant", book.head).fault
    assert (fault.seq, fault.what) == (41, "the log ends at event 40, and the head published is event 59")
    assert "truncated" in fault.meaning


def test_a_log_written_anew_is_told_by_any_head_after_the_change(tmp_path, book):
    rows = [column(row, "actor", "user:mallory") if row[0] == 10 else row for row in book.rows]
    before, after = (Head(row[0], row[15]) for row in (book.rows[8], book.rows[10]))
    made = forged(tmp_path, rows[:57])  # the signature would show it too
    assert made.ok
    path = tmp_path / "forged.titrant"
    assert verify(path, before).ok
    fault = verify(path, after).fault
    assert fault.seq == 11
    assert "rewritten at or before this event" in fault.meaning


def test_a_signature_shows_that_what_was_signed_was_written_anew(tmp_path, book):
    rows = [column(row, "actor", "user:mallory") if row[0] == 10 else row for row in book.rows]
    verdict = forged(tmp_path, rows)
    assert verdict.fault.seq == 58
    assert verdict.fault.what.startswith("user:lee signed event 57 with the hash")
    assert verdict.signatures == ()


def test_a_head_of_another_log_is_told(log, book):
    fault = verify(log, PublishedHead(*_pair(book.head), "ef" * 16)).fault
    assert f"is of the log {'ef' * 16}, and this is {LOG_ID}" in fault.what


def test_a_log_may_go_on_after_its_head_was_published(log, book):
    early = book.rows[4]
    assert verify(log, Head(early[0], early[15])).ok
    assert verify(log, Head(0, genesis(log_id=LOG_ID, file_format=1, created_at=META[2], created_by=META[3],
                                       hash_alg=META[4]))).ok  # fmt: skip
    assert not verify(log, Head(0, b"\0" * 32)).ok


def test_a_head_is_read_as_it_is_written_wherever_it_stands(log, tmp_path):
    published = head(log)
    line = str(published)
    assert line == f"titrant-head {LOG_ID} {published.seq} {published.hash.hex()}"
    assert parse_head(line) == published == read_head(line)
    mail = tmp_path / "mail.txt"
    mail.write_text(f"Dear Kim,\n> {line}\nyours", encoding="utf-8")
    assert read_head(str(mail)) == published
    assert read_head(f"{published.seq}:{published.hash.hex()}") == PublishedHead(*_pair(published))


@pytest.mark.parametrize("text", ["", "59", "59:abc", "no/such/file", "titrant-head x y z", "\0", "a" * 5000])
def test_what_is_no_head_is_refused_with_what_one_looks_like(text):
    with pytest.raises(ConfigurationError, match="SEQ:HASH"):
        read_head(text)


def test_two_different_heads_in_one_text_are_refused():
    with pytest.raises(ConfigurationError, match="2 different heads"):
        parse_head(f"titrant-head a 1 {'0' * 64}\ntitrant-head a 2 {'0' * 64}")


# --- snapshots ------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(log, edit, book):
    """A log with a snapshot of its state in the middle, and the state."""
    state = State()
    for row in book.rows[:40]:
        state = _evolve(state, row)
    _snapshot(edit, 40, book.rows[39][15], pack(state))
    edit.executescript("".join(f"{trigger};" for trigger in schema.TRIGGERS))
    return log


def test_a_snapshot_that_fits_is_counted(kept):
    assert verify(kept).snapshots == 1
    assert verify(kept, deep=True).ok


def test_a_snapshot_of_another_history_is_found(kept, edit):
    edit.execute("UPDATE snapshots SET log_hash = zeroblob(32)")
    verdict = verify(kept)
    assert (verdict.fault.seq, verdict.fault.what) == (40, "the snapshot here is of another history")
    assert verdict.events == 59
    assert "derived data" in verdict.fault.meaning


def test_a_spoilt_snapshot_is_found(kept, edit):
    edit.execute("UPDATE snapshots SET state = x'00'")
    assert verify(kept).fault.what == "the snapshot here was changed after it was taken"


def test_a_snapshot_that_lies_is_found_when_the_log_is_folded(kept, edit, book):
    _snapshot(edit, 40, book.rows[39][15], pack(State(seed=3)))
    assert verify(kept).ok
    fault = verify(kept, deep=True).fault
    assert (fault.seq, fault.what) == (40, "the snapshot here is not the state that the events give")


def test_a_snapshot_of_another_version_says_nothing(kept, edit, book):
    _snapshot(edit, 40, book.rows[39][15], b"\x92\xcd\x03\xe7\xc0")
    assert verify(kept, deep=True).ok


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_log_is_audited_while_it_is_written(tmp_path, book):
    log = await SqliteLog.create(tmp_path / "live.titrant", log_id=LOG_ID, now=1, engine="t")
    for count in range(1, 4):
        opened = e.SessionOpened(engine="t", log_id=LOG_ID, seed=1)
        await log.commit([Append(drafts=(_draft(opened), _draft(e.SessionClosed())))])
        assert verify(log.path).events == 2 * count
    await log.close()


# --- paths and memory -----------------------------------------------------------------------------------------------


def test_what_is_no_log_is_refused(tmp_path):
    with pytest.raises(LogMissing):
        verify(tmp_path / "nowhere.titrant")
    (tmp_path / "page").write_text("<html>" * 200, encoding="utf-8")
    with pytest.raises(NotALog):
        verify(tmp_path / "page")


def test_an_audit_needs_no_more_memory_for_a_longer_log(tmp_path):
    def peak(notes):
        made = bare()
        for _ in range(notes):
            made.forge(e.NoteAdded(text="x" * 200))
        path = made.write(tmp_path / f"{notes}.titrant")
        verify(path)
        tracemalloc.start()
        assert verify(path).events == notes + 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < 1.3 * peak(5_000)  # events are read by the thousand, three thousand at a time


def _pair(one):
    return one.seq, one.hash


def _draft(event):
    return Draft(event=event, recorded_at=10)


def _evolve(state, row):
    return evolve(state, decode(row[2], row[3], row[14]), row[5])


def _snapshot(connection, seq, log_hash, state):
    values = (seq, log_hash, state, sha256(state).digest())
    connection.execute("INSERT OR REPLACE INTO snapshots VALUES (?,?,?,?)", values)
