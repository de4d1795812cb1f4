"""Where the engine of a log can be asked: a file beside the log that says where, and a private folder that proves it.

``<log>.control`` holds no secret: it names a folder that only its owner can look into, with the engine's token in it
and, where the system has them, the socket.  Nothing that another user could have put there is believed: neither file
may be a symbolic link, and both, and the folder, must belong to who asks.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
import tempfile
from pathlib import Path

import msgspec

from titrant import mint
from titrant.errors import EngineUnreachable

HAS_UNIX_SOCKETS = sys.platform != "win32" and hasattr(socket, "AF_UNIX")

SOCKET_PATH_LIMIT = 103
"""Bytes of a socket's path, without the zero at its end, that every system takes (macOS the fewest)."""

CONNECT_S = 1.0
"""How long a connection on one machine may take."""

_PREFIX = "titrant-"
_NO_LINKS = 0 if sys.platform == "win32" else os.O_NOFOLLOW
_LARGEST = 4096


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where an engine can be asked.

    Attributes:
        pid: Its process.
        host: The machine it runs on.
        folder: The private folder with its token and, where ``port`` is None, its socket.
        port: The port on this machine's loopback interface, where there are no Unix sockets.
    """

    pid: int
    host: str
    folder: str
    port: int | None = None

    @property
    def socket(self) -> str:
        """The path of the socket."""
        return str(Path(self.folder) / "socket")

    @property
    def token(self) -> Path:
        """The file that holds the token."""
        return Path(self.folder) / "token"

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def file_of(log: Path) -> Path:
    """The file that says where the engine of *log* is, whichever of its names the log is called by."""
    return Path(f"{os.path.realpath(log)}.control")


# --- the engine's side ----------------------------------------------------------------------------------------------


def make_folder() -> tuple[Path, str]:
    """A new private folder, short enough of name to hold a socket where that can be had, and the token in it."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_base()))  # 0700, on Windows too
    try:
        token = mint.token()
        _write_new(folder / "token", token.encode())
    except BaseException:
        clear(folder)
        raise
    return folder, token


def _base() -> str:
    """Where private folders are made: the user's own place for sockets, else where temporary files go."""
    places = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()]
    if sys.platform != "win32":
        places.append("/tmp")  # noqa: S108  # for the shortness of its name; what is made there is private
    room = SOCKET_PATH_LIMIT - len(f"/{_PREFIX}12345678/socket")
    for place in places:
        if place and len(os.fsencode(place)) <= room and os.access(place, os.W_OK | os.X_OK):
            return place
    return tempfile.gettempdir()


def fits(folder: Path) -> bool:
    """Whether a socket in *folder* has a path that every system takes."""
    return len(os.fsencode(folder / "socket")) <= SOCKET_PATH_LIMIT


def publish(log: Path, address: Address) -> None:
    """Say beside *log* where its engine is, in place of what stood there; only who holds the lease may do this."""
    there = file_of(log)
    new = there.with_name(f"{there.name}.{address.pid}")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    _write_new(new, msgspec.json.encode(address))
    new.replace(there)  # at once: nobody reads half of it, and a link that stands there is replaced, not followed


def withdraw(log: Path, address: Address) -> None:
    """Take back what ``publish`` said and remove the folder; idempotent."""
    if os.getpid() != address.pid:  # a fork of the engine's process
        return
    with contextlib.suppress(OSError, EngineUnreachable):
        if _read_address(file_of(log)) == address:
            file_of(log).unlink()
    clear(Path(address.folder))


def sweep(log: Path) -> None:
    """Remove what an engine of *log* that was killed left behind; only who holds the lease may do this."""
    try:
        address = _read_address(file_of(log))
        _require_private(Path(address.folder))
    except (OSError, EngineUnreachable):
        return  # there was none, or it is not ours to touch
    with contextlib.suppress(OSError):
        file_of(log).unlink()
    try:
        connect(address).close()  # it lives: a copied log names the engine of the original
    except (ConnectionRefusedError, FileNotFoundError):
        clear(Path(address.folder))
    except OSError:
        return


def clear(folder: Path) -> None:
    """Remove a private folder, as far as it holds nothing foreign."""
    if not folder.name.startswith(_PREFIX):
        return
    for name in ("socket", "token"):
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def _write_new(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS, 0o600)
    try:
        os.write(file, content)
    finally:
        os.close(file)


# --- the caller's side ----------------------------------------------------------------------------------------------


def find(log: Path) -> tuple[Address, str]:
    """Where the engine of *log* can be asked, and its token.

    Raises:
        EngineUnreachable: Nothing says so, or what says so cannot be trusted.
    """
    try:
        address = _read_address(file_of(log))
    except FileNotFoundError:
        raise EngineUnreachable(f"no engine says that it works on {log} and takes requests") from None
    except OSError as exc:
        raise EngineUnreachable(f"{file_of(log)} is not trusted: {exc}") from exc
    try:
        _require_private(Path(address.folder))
        token = _read_own(address.token).decode()
        if address.port is None and not stat.S_ISSOCK(os.lstat(address.socket).st_mode):
            raise EngineUnreachable(f"{address.socket} is not trusted: it is no socket")
    except FileNotFoundError:
        raise EngineUnreachable(f"{address}, which worked on {log}, is gone or cannot be reached from here") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise EngineUnreachable(f"{address.folder} is not trusted: {exc}") from exc
    return address, token


def connect(address: Address) -> socket.socket:
    """A connection to whoever listens there.

    Raises:
        OSError: Nobody does.
    """
    if address.port is not None or sys.platform == "win32":
        return socket.create_connection(("127.0.0.1", address.port or 0), CONNECT_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONNECT_S)
        connection.connect(address.socket)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_address(path: Path) -> Address:
    try:
        return msgspec.json.decode(_read_own(path), type=Address)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise EngineUnreachable(f"{path} is not trusted: it cannot be read as an address ({exc})") from exc


def _read_own(path: Path) -> bytes:
    """The content of a small ordinary file that belongs to this user and that nobody else may write."""
    file = os.open(path, os.O_RDONLY | _NO_LINKS | getattr(os, "O_NONBLOCK", 0))
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise EngineUnreachable(f"{path} is not trusted: it is no ordinary file")
        _require_own(path, about, 0o022)
        return os.read(file, _LARGEST)
    finally:
        os.close(file)


def _require_private(folder: Path) -> None:
    about = os.lstat(folder)
    if not stat.S_ISDIR(about.st_mode) or not folder.is_absolute():
        raise EngineUnreachable(f"{folder} is not trusted: it is no folder")
    _require_own(folder, about, 0o077)


def _require_own(path: Path, about: os.stat_result, forbidden: int) -> None:
    """Windows keeps files apart by where they lie: in the user's own profile, where temporary files go."""
    if sys.platform == "win32":
        return
    if about.st_uid != os.geteuid():
        raise EngineUnreachable(f"{path} is not trusted: it belongs to user {about.st_uid}, not to you")
    if about.st_mode & forbidden:
        raise EngineUnreachable(f"{path} is not trusted: others may use it (its mode is {about.st_mode & 0o777:o})")
