"""A process that has loaded the engine once and forks itself into the children that are killed.

Orders on stdin, answers on stdout, each a line of JSON; it ends when its stdin does.

A child opens its log, its sockets and its threads after the fork, as a Python of its own would.  All that is not done
again is the loading, during which there is nothing to lose.
"""

import os
import select
import signal
import sys

import msgspec

from titrant.runtime import crash_points


class Order(msgspec.Struct):
    """A child that is wanted.

    Attributes:
        plan: What it is to do (``child.Plan``).
        said: The file that its stderr goes to.
        at: The crash point at which it kills itself.
        after: Seconds after which it is killed.
        listing: A file that every crash point passed is appended to.
        limit: Seconds after which it counts as hung: it is asked where it stands (SIGABRT), then killed.
    """

    plan: msgspec.Raw
    said: str
    at: str
    after: float | None
    listing: str
    limit: float


class Answer(msgspec.Struct):
    """How a child ended (see ``titrant.testing.crash.Ended``)."""

    code: int
    hung: bool


class Point:
    """What the engine's modules take for the crash point when they are loaded; armed in each child."""

    passed = staticmethod(crash_points.crash_point)

    def __call__(self, name):
        Point.passed(name)


def serve():
    """Fork at each order and say how the child ended; in a child, give the plan that it is to carry out."""
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        pid = os.fork()
        if not pid:
            become(order)
            return order.plan
        sys.stdout.buffer.write(msgspec.json.encode(await_end(pid, order)) + b"\n")
        sys.stdout.flush()
    return None


def become(order):
    """Make this process what one started for *order* would be."""
    nothing = os.open(os.devnull, os.O_RDWR)
    said = os.open(order.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for file, standard in ((nothing, 0), (nothing, 1), (said, 2)):
        os.dup2(file, standard)
    os.close(nothing)
    os.close(said)
    os.environ.update(TITRANT_CRASH_AT=order.at, TITRANT_CRASH_LIST=order.listing)
    Point.passed = staticmethod(crash_points._armed(os.environ))


def await_end(pid, order):
    """Wait for a child, and end it when its time is up."""
    hung = False
    child = os.pidfd_open(pid)
    try:
        if not ended(child, order.limit if order.after is None else order.after):
            hung = order.after is None
            os.kill(pid, signal.SIGABRT if hung else signal.SIGKILL)
            if not ended(child, order.limit):
                os.kill(pid, signal.SIGKILL)
    finally:
        os.close(child)
    return Answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), hung)


def ended(child, seconds):
    return bool(select.select([child], [], [], seconds)[0])


def main():
    crash_points.crash_point = Point()
    from tests.durability import child  # noqa: PLC0415  # which loads the engine with that point

    plan = serve()
    if plan is not None:
        child.main(msgspec.json.decode(plan, type=child.Plan))


if __name__ == "__main__":
    main()
