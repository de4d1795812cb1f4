"""The server in the engine's process: slow, dead, foreign and malformed callers harm nobody, and halt overtakes all."""

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import anyio
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.control.lab import KIM, Slow, Stuck, make_experiment

from titrant import AsyncClient, Client, mint
from titrant.api.telling import Telling
from titrant.control import address as places
from titrant.control import caller, server, wire
from titrant.control.caller import act_on, call
from titrant.control.wire import Counter, Failure, Greeting, Proof, Reply, Request
from titrant.errors import CommandRefused, EngineUnreachable, NoReply, TitrantError


class Stranger:
    """A connection to a door that does what a test wants."""

    def __init__(self, path):
        self.path = path
        self.address, self.token = places.find(path)
        self.connection = places.connect(self.address)
        self.connection.settimeout(10)

    def say(self, message):
        self.connection.sendall(wire.framed(message, 1 << 30))

    def hear(self, kind):
        size = int.from_bytes(self._exactly(4), "big")
        return wire.read(self._exactly(size), kind)

    def _exactly(self, size):
        data = b""
        while len(data) < size and (part := self.connection.recv(size - len(data))):
            data += part
        return data

    def is_sent_away(self):
        try:
            return self.connection.recv(1) == b""
        except ConnectionError:
            return True

    def show(self, token=None):
        """Greet, and prove to know the token."""
        nonce = mint.token()
        self.say(Greeting(version=wire.VERSION, nonce=nonce))
        counter = self.hear(Counter)
        assert wire.proves(counter.proof, self.token, "engine", nonce, counter.nonce)
        self.say(Proof(proof=wire.prove(token or self.token, "caller", nonce, counter.nonce)))

    def ask(self, act, **arguments):
        self.say(Request(log=str(self.path), act=act, arguments=arguments, by=KIM))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def is_well(path):
    return act_on(path, "status", {}, KIM).value["name"] == "slow"


@pytest.fixture
def blocked(monkeypatch):
    """``ask`` waits until the event is set; gives the event, and a semaphore that says how many wait."""
    let, there = threading.Event(), threading.Semaphore(0)

    async def get_next_trials(self, *args):
        there.release()
        await anyio.to_thread.run_sync(let.wait, abandon_on_cancel=True)
        return {}

    monkeypatch.setattr(Telling, "get_next_trials", get_next_trials)
    yield let, there
    let.set()


# --- who may ask ----------------------------------------------------------------------------------------------------


def test_acts_arrive_on_both_ways(way, experiment, path):
    (paused,) = act_on(path, "pause", {"reason": "lunch"}, KIM).events

    assert (paused.actor, paused.reason) == ("user:kim", "lunch")
    assert experiment.state.paused


def test_who_does_not_know_the_token_is_sent_away(way, experiment, path):
    with Stranger(path) as stranger:
        stranger.show("0" * 32)
        with suppress(ConnectionError):  # sent away already
            stranger.ask("pause")

        assert stranger.is_sent_away()
    assert experiment.state.paused is None


def test_a_proof_that_was_overheard_cannot_be_used_again(way, experiment, path):
    nonce = mint.token()
    greeting = Greeting(version=wire.VERSION, nonce=nonce)
    with Stranger(path) as honest:
        honest.say(greeting)
        overheard = Proof(proof=wire.prove(honest.token, "caller", nonce, honest.hear(Counter).nonce))
    with Stranger(path) as stranger:
        stranger.say(greeting)
        stranger.hear(Counter)
        stranger.say(overheard)

        assert stranger.is_sent_away()


def test_the_engines_own_proof_cannot_be_sent_back_to_it(experiment, path):
    with Stranger(path) as stranger:
        stranger.say(Greeting(version=wire.VERSION, nonce=mint.token()))
        stranger.say(Proof(proof=stranger.hear(Counter).proof))

        assert stranger.is_sent_away()


def test_an_impostor_who_listens_where_an_engine_did_hears_nothing_of_use(path, tmp_path):
    with make_experiment(path):
        pass
    folder, _token = places.make_folder()
    heard = []

    def impostor(listener):
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(4096))
            connection.sendall(wire.framed(Counter(nonce="0" * 32, proof="0" * 64), 1 << 20))
            heard.append(connection.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        port = listener.getsockname()[1]
        places.publish(path, places.Address(pid=1, host="here", folder=str(folder), port=port))
        pool.submit(impostor, listener)

        with pytest.raises(EngineUnreachable, match="it does not know the token, so it is another program"):
            call(path, "void", {"trial": 3, "reason": "secret"}, KIM)
    places.clear(folder)

    assert b"secret" not in b"".join(heard)
    assert heard[1] == b""


def test_a_caller_of_another_version_is_told(experiment, path):
    with Stranger(path) as stranger:
        stranger.say(Greeting(version=99, nonce=mint.token()))

        assert "the engine speaks version 1, not 99" in stranger.hear(Counter | Failure).message


# --- callers that are slow, dead, or full of rubbish ----------------------------------------------------------------


def test_callers_that_only_stand_about_keep_nobody_out(way, experiment, path):
    standing = [Stranger(path) for _ in range(3 * server.STRANGERS)]

    assert is_well(path)
    assert standing[0].is_sent_away()
    for stranger in standing:
        stranger.connection.close()


def test_a_caller_that_says_nothing_is_sent_away_in_the_end(experiment, path, monkeypatch):
    monkeypatch.setattr(server, "GREETING_S", 0.05)
    with Stranger(path) as silent, Stranger(path) as mumbling:
        mumbling.connection.sendall(b"\0\0")
        with Stranger(path) as known:
            known.show()

            assert silent.is_sent_away()
            assert mumbling.is_sent_away()
            assert known.is_sent_away()


def test_a_caller_that_takes_no_answer_is_left(experiment, path, monkeypatch):
    monkeypatch.setattr(server, "REPLY_S", 0.05)
    deaf = [Stranger(path) for _ in range(8)]
    for stranger in deaf:
        stranger.show()
        stranger.ask("note", text="y" * 900_000)

    assert is_well(path)
    for stranger in deaf:
        stranger.connection.close()


def test_what_a_caller_asked_for_who_left_is_done_all_the_same(way, experiment, path):
    with Stranger(path) as stranger:
        stranger.show()
        stranger.ask("pause")

    while not act_on(path, "status", {}, KIM).value["paused"]:
        pass


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "lab.titrant"
    with make_experiment(path):
        yield path


def framed(payload):
    return len(payload).to_bytes(4, "big") + payload


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
rubbish = (
    st.binary(max_size=200)
    | st.binary(max_size=200).map(framed)
    | json.map(lambda value: framed(msgspec.json.encode(value)))
    | st.integers(0, 2**32 - 1).map(lambda size: size.to_bytes(4, "big") + b"{}")
    | st.integers(1, 900).map(lambda depth: framed(b"[" * depth))
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.booleans(), said=st.lists(rubbish, max_size=4))
def test_no_bytes_harm_the_engine(fuzzed, known, said):
    with Stranger(fuzzed) as stranger, suppress(ConnectionError):  # sent away in mid-sentence
        if known:
            stranger.show()
        for one in said:
            stranger.connection.sendall(one)
    assert is_well(fuzzed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    act=st.sampled_from(["status", "tell", "approval", "add-parameter", "strategy", "", "x"]) | st.text(),
    arguments=json,
)
def test_no_request_harms_the_engine(fuzzed, act, arguments):
    with Stranger(fuzzed) as stranger:
        stranger.show()
        stranger.connection.sendall(
            framed(msgspec.json.encode({"log": str(fuzzed), "act": act, "arguments": arguments, "by": ["user:x"]}))
        )
        assert isinstance(stranger.hear(Reply | Failure), Reply | Failure)


def test_a_request_that_is_too_long_is_not_even_read(experiment, path):
    with Stranger(path) as stranger:
        stranger.show()
        stranger.connection.sendall((wire.MAX_REQUEST + 1).to_bytes(4, "big"))

        assert "a frame of 2097153 bytes was announced" in stranger.hear(Reply | Failure).message


def test_an_act_that_fails_in_an_unforeseen_way_is_told_and_the_engine_goes_on(experiment, path, monkeypatch, capsys):
    async def broken(self, *args):
        raise ZeroDivisionError("what now")

    monkeypatch.setattr(Telling, "get_next_trials", broken)

    with pytest.raises(TitrantError, match=r"'ask' failed inside the engine: .*what now"):
        act_on(path, "ask", {}, KIM)
    assert is_well(path)
    assert "control.act_failed" in capsys.readouterr().err


# --- many at once, and halt before all ------------------------------------------------------------------------------


def test_halt_waits_for_no_other_act_and_for_no_limit(path, blocked, monkeypatch):
    monkeypatch.setattr(server, "ACTS_AT_ONCE", 4)
    let, there = blocked
    runner = Slow(3600.0)
    with make_experiment(path, runner), ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(act_on, path, "ask", {}, KIM) for _ in range(4)]
        assert all(there.acquire(timeout=10) for _ in range(4))
        with pytest.raises(CommandRefused, match="4 acts are under way"):
            act_on(path, "status", {}, KIM)

        halted = act_on(path, "halt", {"reason": "smoke"}, KIM)

        assert runner.safe.is_set()
        assert halted.value == {"reached": ["slow"], "failed": []}
        let.set()
        assert all(one.result(10).value == {"trials": {}} for one in waiting)


def test_a_second_halt_does_not_wait_for_the_first(path):
    runner = Stuck()
    with make_experiment(path, runner), ThreadPoolExecutor(1) as pool:
        first = pool.submit(act_on, path, "halt", {}, KIM)
        runner.safe.wait(10)

        assert act_on(path, "status", {}, KIM).value["halted"] is None  # it is not in the log before it is done
        assert not first.done()
        runner.let.set()
        assert first.result(10).value["reached"] == ["slow"]


def test_a_caller_that_has_waited_long_enough_is_told_that_it_may_have_been_done(path, blocked):
    told = "has not answered 'ask' within 0.2 s: look at the log"
    with make_experiment(path), pytest.raises(NoReply, match=re.escape(told)):
        act_on(path, "ask", {}, KIM, timeout_s=0.2)


def test_an_engine_that_does_not_react_is_found_out(path, monkeypatch):
    monkeypatch.setattr(caller, "HEARD_S", 0.1)
    let, there = threading.Event(), threading.Event()
    with make_experiment(path) as client:

        def hog():
            there.set()
            let.wait(30)

        client._thread.portal.start_task_soon(hog)
        there.wait(10)

        with pytest.raises(EngineUnreachable, match="does not answer: "):
            call(path, "pause", {}, KIM)
        let.set()


# --- beginning and end ----------------------------------------------------------------------------------------------


def test_acts_under_way_are_answered_before_the_client_is_closed(path, blocked):
    let, there = blocked
    client = make_experiment(path)
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(act_on, path, "ask", {}, KIM)
        assert there.acquire(timeout=10)
        closed = pool.submit(client.close)
        while places.file_of(path).exists() and not _refuses(path):
            pass
        let.set()

        assert asked.result(10).value == {"trials": {}}
        closed.result(10)


def _refuses(path):
    """Whether nobody is let in any more."""
    try:
        call(path, "status", {}, KIM)
    except EngineUnreachable:
        return True
    return False


def test_acts_that_take_too_long_when_the_client_is_closed_are_told_so(path, blocked, monkeypatch):
    monkeypatch.setattr(server, "GRACE_S", 0.05)
    _let, there = blocked
    client = make_experiment(path)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(act_on, path, "ask", {}, KIM)
        assert there.acquire(timeout=10)
        client.close()

        with pytest.raises(NoReply, match="the engine was closed before 'ask' had ended"):
            asked.result(10)


def test_the_door_does_not_wrap_what_goes_wrong_in_the_program(path):
    async def program():
        async with AsyncClient(path, random_seed=1):
            raise ZeroDivisionError("the program's own")

    with pytest.raises(ZeroDivisionError, match="the program's own"):
        anyio.run(program)
    assert not places.file_of(path).exists()


def test_a_program_acts_on_its_own_experiment_from_within_its_loop(path):
    async def program():
        async with AsyncClient(path, random_seed=1):
            return await caller.act_on_async(path, "pause", {}, KIM)

    assert len(anyio.run(program).events) == 1


def test_a_door_may_be_left_shut(path):
    with make_experiment(path, control=False):
        assert not places.file_of(path).exists()
    with Client.open(path, control=False):
        assert not places.file_of(path).exists()
