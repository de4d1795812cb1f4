"""A terminal and an experiment that runs in another process, in real time."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.control.lab import KIM, Slow, make_experiment, terminal

from titrant import Client
from titrant.control import address
from titrant.control.caller import act_on, call
from titrant.errors import EngineUnreachable, LogInUse
from titrant.log.replay import read_log


def logged(path, tag):
    return [record for record in read_log(path) if type(record.event).__struct_config__.tag == tag]


def test_a_terminal_pauses_and_unpauses_an_experiment_while_it_runs(run_child, path):
    child = run_child()
    child.until("trial.completed")

    paused = terminal(path, "pause", reason="to lunch")
    status = terminal(path, "status")
    unpaused = terminal(path, "unpause", reason="back")
    child.until("experiment.unpaused")
    child.until("trial.created")  # it goes on

    assert paused["events"] == ["experiment.paused"]
    assert status["value"]["paused"]
    assert status["value"]["run"]
    assert unpaused["events"][0] == "experiment.unpaused"
    record = logged(path, "experiment.paused")[0]
    assert (record.actor, record.role, record.reason) == ("user:kim", "chemist", "to lunch")
    assert [record.seq] == paused["seqs"]


def test_what_a_terminal_is_told_was_written_is_what_stands_in_the_log(run_child, path):
    child = run_child()
    done = child.until("trial.completed")

    outcomes = [act_on(path, "note", {"text": f"note {n}", "trial": done["trial"]}, KIM) for n in range(5)]

    for outcome in outcomes:
        (said,) = outcome.events
        (stored,) = read_log(path, said.seq - 1, said.seq)
        assert (stored.event, stored.actor, stored.recorded_at) == (said.event, said.actor, said.recorded_at)
        assert (stored.correlation, stored.epoch) == (said.correlation, said.epoch)


def test_a_terminal_voids_a_result_while_the_experiment_runs(run_child, path):
    child = run_child()
    trial = child.until("trial.completed")["trial"]

    voided = terminal(path, "void", trial=trial, reason="the pump was dry")
    again = terminal(path, "void", trial=trial, reason="the pump was dry")
    unvoided = terminal(path, "unvoid", trial=trial, reason="it was not")

    assert voided["events"] == ["trial.voided"]
    assert again["error"] == "CommandRefused"
    assert unvoided["events"] == ["trial.unvoided"]


def test_a_terminal_approves_a_trial_for_which_the_experiment_waits(run_child, path):
    child = run_child(approval=True)
    trial = child.until("trial.proposed")["trial"]

    approved = terminal(path, "approve", trial=trial, reason="looks safe")
    child.until("trial.completed")

    assert approved["events"][0] == "trial.approved"
    assert logged(path, "trial.approved")[0].role == "chemist"


def test_a_terminal_drains_an_experiment_whose_program_then_ends(run_child, path):
    child = run_child()
    child.until("trial.completed")

    drained = terminal(path, "drain", reason="enough")

    assert drained["events"][0] == "experiment.draining"
    assert child.end() == 0
    assert logged(path, "run.ended")[0].event.outcome == "drained"
    assert not address.file_of(path).exists()


def test_a_terminal_stops_an_experiment_with_trials_that_would_take_hours(run_child, path):
    child = run_child(seconds=7200.0)
    child.until("trial.running")

    stopped = terminal(path, "stop", reason="wrong flask")

    assert "experiment.stopping" in stopped["events"]
    assert child.end() == 0
    assert logged(path, "run.ended")[0].event.outcome == "stopped"


def test_a_terminal_halts_an_experiment_and_resets_it(run_child, path):
    child = run_child(seconds=7200.0)
    child.until("trial.running")

    halted = terminal(path, "halt", reason="smoke")

    assert child.end() == 0
    reset = terminal(path, "reset", reason="it was toast")

    assert halted["value"] == {"reached": ["slow"], "failed": []}
    assert "experiment.halted" in halted["events"]
    assert reset["events"] == ["experiment.reset"]


def test_callers_at_the_same_time_each_get_the_events_of_their_own_act(run_child, path):
    child = run_child(seconds=7200.0)
    child.until("trial.running")

    with ThreadPoolExecutor(24) as pool:
        texts = [f"note {n}" for n in range(96)]
        outcomes = list(pool.map(lambda text: act_on(path, "note", {"text": text}, KIM), texts))

    assert [outcome.events[0].event.text for outcome in outcomes] == texts
    assert all(len(outcome.events) == 1 for outcome in outcomes)
    assert len({outcome.events[0].correlation for outcome in outcomes}) == len(texts)


def test_the_log_of_an_engine_that_was_killed_is_acted_on_itself(run_child, path):
    child = run_child()
    trial = child.until("trial.completed")["trial"]
    folder = Path(address.find(path)[0].folder)
    child.process.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    child.process.wait(60)

    assert address.file_of(path).exists()  # stale
    with pytest.raises(EngineUnreachable, match=r"does not answer|takes no requests|is gone"):
        call(path, "pause", {}, KIM)
    voided = terminal(path, "void", trial=trial, reason="the pump was dry")
    stopped = terminal(path, "stop", reason="why not")

    assert voided["events"] == ["trial.voided"]
    assert stopped["value"].startswith("no run is under way")
    assert not address.file_of(path).exists()  # who acts himself clears up, and says of himself nothing
    assert not folder.exists()


def test_the_next_engine_clears_up_after_one_that_was_killed(run_child, path):
    child = run_child()
    child.until("trial.completed")
    folder = Path(address.find(path)[0].folder)
    child.process.kill()
    child.process.wait(60)

    with Client.open(path) as client:
        client.configure_runner(Slow(0.0))
        paused = terminal(path, "pause")

        assert paused["events"] == ["experiment.paused"]
        assert not folder.exists()


def test_a_log_that_is_held_here_and_takes_no_requests_is_refused(path):
    with make_experiment(path, control=False), pytest.raises(LogInUse, match="is open in this process") as told:
        act_on(path, "pause", {}, KIM)

    assert "no engine says" in told.value.__notes__[0]


def test_a_terminal_that_is_killed_while_it_waits_harms_nobody(run_child, path):
    child = run_child(seconds=7200.0)
    child.until("trial.running")
    code = (
        "from titrant.control.address import *; import sys\n"
        "from pathlib import Path\n"
        "connection = connect(find(Path(sys.argv[1]))[0]); connection.sendall(b'\\0\\0'); print('there', flush=True)\n"
        "sys.stdin.read()"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert caller.stdout.readline() == "there\n"
    caller.kill()
    caller.communicate()

    assert terminal(path, "pause")["events"] == ["experiment.paused"]
