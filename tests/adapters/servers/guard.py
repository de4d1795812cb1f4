"""Runs one command and kills all that came of it when standard input closes: ``python guard.py COMMAND ...``.

A test session that is killed cannot clean up, but the kernel closes its pipes.  The guard adopts every
descendant (a server may fork, and so may what it forks), so that no daemon gets away from it.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

import psutil

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Make the children of dead children ours; only Linux can, and only Linux has servers that fork."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_descendants():
    """Kill and reap until nothing is left: a process may fork while its siblings are being killed."""
    while left := psutil.Process().children(recursive=True):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)  # one at least is ours, or becomes ours as soon as its parent is dead


def main(command):
    """Run it; its exit status where it ends by itself, or 0."""
    adopt_orphans()
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the test session, whose end ends us
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def until_closed():
        while os.read(0, 1024):
            pass
        over.set()

    def until_ended():
        process.wait()
        over.set()

    # Threads that block: a session has many guards, and each that looked ten times a second would cost it something.
    for watch in (until_closed, until_ended):
        threading.Thread(target=watch, daemon=True).start()
    try:
        over.wait()
        return process.returncode or 0
    finally:
        kill_descendants()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
