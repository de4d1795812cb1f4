"""Where an engine can be asked is believed only where nobody else can have said so."""

import os
import shutil
import stat
import sys
from pathlib import Path

import msgspec
import pytest
from tests.control.lab import KIM, make_experiment

from titrant import Client
from titrant.control import address as places
from titrant.control.address import Address
from titrant.control.caller import act_on, call
from titrant.errors import EngineUnreachable, LogInUse

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions are of POSIX")


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def says(path, **changes):
    """Put another address in the place of the true one."""
    there = places.file_of(path)
    address = msgspec.structs.replace(msgspec.json.decode(there.read_bytes(), type=Address), **changes)
    there.write_bytes(msgspec.json.encode(address))
    return address


@posix
def test_all_that_leads_to_an_engine_is_its_owners_alone(way, experiment, path):
    address, token = places.find(path)

    assert mode(places.file_of(path)) == 0o600
    assert mode(address.folder) == 0o700
    assert mode(address.token) == 0o600
    assert (mode(address.socket) == 0o600) if way == "unix socket" else not Path(address.socket).exists()
    assert len(bytes.fromhex(token)) == 16
    assert token not in places.file_of(path).read_text()


def test_only_the_loopback_interface_is_listened_on(path, way):
    with make_experiment(path):
        address, _ = places.find(path)
        if address.port is not None:
            with places.connect(address) as connection:
                assert connection.getpeername()[0] == "127.0.0.1"


def test_closing_leaves_nothing_behind(path, way):
    with make_experiment(path):
        folder = Path(places.find(path)[0].folder)
        assert folder.exists()

    assert not folder.exists()
    assert not places.file_of(path).exists()


@posix
def test_a_link_in_the_place_of_the_address_is_neither_followed_nor_written_through(path, tmp_path):
    with make_experiment(path):
        pass
    precious = tmp_path / "precious"
    precious.write_text("data")
    places.file_of(path).symlink_to(precious)

    with pytest.raises(EngineUnreachable, match="is not trusted"):
        places.find(path)
    with Client.open(path):
        assert precious.read_text() == "data"
        assert not places.file_of(path).is_symlink()
        assert act_on(path, "pause", {}, KIM).events

    assert precious.read_text() == "data"


@posix
def test_a_link_in_the_place_of_the_new_address_is_not_written_through(path, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("data")
    there = places.file_of(path)
    there.with_name(f"{there.name}.{os.getpid()}").symlink_to(precious)

    with make_experiment(path):
        assert act_on(path, "pause", {}, KIM).events

    assert precious.read_text() == "data"


@posix
@pytest.mark.parametrize("what", ["address", "folder", "token"])
def test_what_others_may_write_is_not_trusted(experiment, path, what):
    address, _ = places.find(path)
    target = {"address": places.file_of(path), "folder": Path(address.folder), "token": address.token}[what]
    target.chmod(mode(target) | 0o020)

    with pytest.raises(EngineUnreachable, match="others may use it"):
        call(path, "pause", {}, KIM)


@posix
def test_what_belongs_to_another_user_is_not_trusted(experiment, path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    with pytest.raises(EngineUnreachable, match=r"belongs to user .*, not to you"):
        places.find(path)


@posix
@pytest.mark.parametrize("how", ["link", "file"])
def test_a_socket_that_somebody_else_left_is_not_trusted(experiment, path, tmp_path, how):
    address, _ = places.find(path)
    Path(address.socket).rename(tmp_path / "socket")
    if how == "link":
        Path(address.socket).symlink_to(tmp_path / "socket")
    else:
        Path(address.socket).touch()

    with pytest.raises(EngineUnreachable, match="it is no socket"):
        places.find(path)


@posix
def test_a_folder_that_is_a_link_is_not_trusted(experiment, path, tmp_path):
    folder = Path(places.find(path)[0].folder)
    (tmp_path / "titrant-link").symlink_to(folder)
    says(path, folder=str(tmp_path / "titrant-link"))

    with pytest.raises(EngineUnreachable, match="it is no folder"):
        places.find(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"pid": 1}', b"[" * 5000])
def test_an_address_that_cannot_be_read_is_not_trusted(experiment, path, content):
    places.file_of(path).write_bytes(content)

    with pytest.raises(EngineUnreachable, match="cannot be read as an address"):
        places.find(path)


@posix
def test_an_address_that_is_a_pipe_keeps_nobody_waiting(path):
    os.mkfifo(places.file_of(path))

    with pytest.raises(EngineUnreachable, match="no ordinary file"):
        places.find(path)


def test_a_log_copied_together_with_its_address_does_not_lead_to_the_engine_of_the_original(experiment, path, tmp_path):
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir()
    for suffix in ("", ".control", "-wal", "-shm"):
        shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")

    with pytest.raises(EngineUnreachable, match="the engine works on"):
        call(copy, "pause", {}, KIM)
    assert act_on(copy, "pause", {}, KIM).events

    assert experiment.state.paused is None
    with Client.open(copy):  # and clears up nothing of the original's
        assert act_on(path, "note", {"text": "still there"}, KIM).events


@posix
def test_a_log_is_found_under_each_of_its_names(experiment, path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "other.titrant"
    link.symlink_to(path)

    assert act_on(link, "pause", {}, KIM).events
    assert experiment.state.paused


@posix
def test_a_folder_of_temporary_files_with_a_long_name_is_no_hindrance(path, tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 6)
    deep.mkdir(parents=True)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(deep))

    with make_experiment(path):
        assert len(os.fsencode(places.find(path)[0].socket)) <= places.SOCKET_PATH_LIMIT
        assert act_on(path, "pause", {}, KIM).events


def test_an_experiment_runs_on_where_its_address_cannot_be_said(path, capsys):
    places.file_of(path).mkdir()

    with make_experiment(path) as client:
        client.pause()
        with pytest.raises(LogInUse, match="is open in this process") as told:
            act_on(path, "unpause", {}, KIM)

    assert "is not trusted" in told.value.__notes__[0]
    assert "control.unavailable" in capsys.readouterr().err


@posix
def test_a_fork_of_the_engines_process_takes_nothing_back(experiment, path, monkeypatch):
    address, _ = places.find(path)
    monkeypatch.setattr(os, "getpid", lambda: address.pid + 1)

    places.withdraw(path, address)

    assert places.find(path)[0] == address
