"""The generators' own process: ``python -m titrant.generators.worker`` answers frames on stdin with frames on stdout.

A fit takes the interpreter's lock for tenths of a second, and may crash or hang; here it can do neither to the engine.
The worker keeps nothing that a request does not bring along, ends when its stdin does, and leaves Ctrl-C to its parent.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import IO

from msgspec import MsgspecError

from titrant.errors import GenerationError
from titrant.generators import dispatch, wire
from titrant.generators.base import Examination, PredictionRequest, Request


def answer(content: bytes) -> wire.Answer:
    """The answer to one frame; whatever goes wrong becomes a ``Failure``."""
    try:
        return _answer(wire.decode_message(content))
    except GenerationError as error:
        return wire.Failure(type(error).__name__, str(error))
    except MsgspecError as error:
        return wire.Failure(type(error).__name__, f"the worker cannot read the request: {error}")
    except Exception as error:  # noqa: BLE001 - the process boundary: the engine decides what becomes of it
        return wire.Failure(type(error).__name__, f"{type(error).__name__}: {error}")


def _answer(message: wire.Message) -> wire.Answer:
    match message:
        case Request() as request:
            return wire.Suggested(dispatch.suggest(request))
        case PredictionRequest() as request:
            return wire.Predicted(dispatch.predict(request))
        case Examination() as request:
            return wire.Examined(dispatch.examine(request))
        case wire.Warm(torch=torch):
            return wire.Warmed(dispatch.warm(torch=torch))
        case wire.Ping():
            return wire.Pong()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer frame by frame until the requests end or nobody listens any more."""
    while (content := wire.read(requests)) is not None:
        try:
            wire.write(answers, answer(content))
        except BrokenPipeError:
            return


def main() -> None:
    """Serve stdin and stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The frames get a descriptor of their own, and whatever prints, in Python or below it, goes to stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # What is loaded by now lives as long as the process: the collector need not look at it again.
    gc.freeze()
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
