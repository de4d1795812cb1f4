"""Runs a program and writes down how it ended; it outlives whoever asked for it: ``python keeper.py FOLDER WORD ...``.

It needs the standard library alone, and starts without ``site``, in a hundredth of a second.  Whoever makes the file
``claim`` first decides: the keeper, and the program is called; or somebody who waits no longer, and it never is.  While
the keeper lives it holds a lock on that file, which dies with it, as a number of a process does not.
"""

import os
import subprocess
import sys
from pathlib import Path

CLAIM, ENDED = "claim", "ended"
CANNOT_START = 75
LOCKED_BYTE = 1_000
"""Beyond the number that is written there: on Windows what is locked cannot be read."""


def claimed(folder: Path) -> int | None:
    """Make the claim, once; None where somebody has it."""
    try:
        return os.open(folder / CLAIM, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    except FileExistsError:
        return None


def lock(file: int) -> bool:
    """Lock a claim until this process ends or closes it; False where another holds it."""
    os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  # there is none elsewhere

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  # there is none on Windows

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main(folder: Path, words: list[str]) -> None:
    """Claim, call, write down."""
    if sys.platform != "win32":
        import signal  # noqa: PLC0415  # as fast as it can be

        if os.fork():
            os._exit(0)  # whoever asked need not wait, and no process is left for them to bury
        os.setsid()
        signal.signal(signal.SIGTERM, lambda *_: None)  # it comes to the whole group, and how that ends is to be told
    claim = claimed(folder)
    if claim is None:
        return
    lock(claim)
    os.lseek(claim, 0, os.SEEK_SET)
    os.write(claim, str(os.getpid()).encode())
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        try:
            code = subprocess.call(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err)  # noqa: S603  # what is asked
        except OSError as exc:
            err.write(str(exc).encode())
            code = CANNOT_START
    part = folder / f"{ENDED}.part"
    with part.open("w", encoding="ascii") as file:
        file.write(str(code))
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / ENDED)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
