"""What the engine and the worker process say to each other: tagged Structs as msgpack in length-prefixed frames."""

from __future__ import annotations

import struct
from typing import IO

import msgspec

from titrant.generators.base import Examination, PredictionReply, PredictionRequest, Reply, Request
from titrant.model.insight import Insight

# The length of a frame's content, four bytes, little endian.
_LENGTH = struct.Struct("<I")


class Warm(msgspec.Struct, frozen=True, tag="warm"):
    """Load what the Bayesian optimizer needs, ahead of the first request for it; with ``torch``, BoTorch as well."""

    torch: bool = True


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Say that you are there."""


class Warmed(msgspec.Struct, frozen=True, tag="warmed"):
    """It is loaded.

    Attributes:
        versions: Package name to version.
    """

    versions: dict[str, str] = {}


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """Here I am."""


class Suggested(msgspec.Struct, frozen=True, tag="suggested"):
    """The answer to a request for suggestions."""

    reply: Reply


class Predicted(msgspec.Struct, frozen=True, tag="predicted"):
    """The answer to a request for predictions."""

    reply: PredictionReply


class Examined(msgspec.Struct, frozen=True, tag="examined"):
    """The answer to a question about the model."""

    reply: Insight


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """There is no answer.

    Attributes:
        kind: Name of the exception's class.
        message: Its message.
    """

    kind: str
    message: str


Message = Request | PredictionRequest | Examination | Warm | Ping
Answer = Suggested | Predicted | Examined | Warmed | Pong | Failure

_messages = msgspec.msgpack.Decoder(Message)
_answers = msgspec.msgpack.Decoder(Answer)
_encoder = msgspec.msgpack.Encoder()


def write(stream: IO[bytes], message: Message | Answer) -> None:
    """Write one frame and flush it.

    Raises:
        OSError: The other side is gone.
    """
    content = _encoder.encode(message)
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def read(stream: IO[bytes]) -> bytes | None:
    """The content of the next frame; None where the stream ended, between frames or within one."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None


def decode_message(content: bytes) -> Message:
    """A frame for the worker.

    Raises:
        msgspec.MsgspecError: It is no message.
    """
    message: Message = _messages.decode(content)
    return message


def decode_answer(content: bytes) -> Answer:
    """A frame from the worker.

    Raises:
        msgspec.MsgspecError: It is no answer.
    """
    answer: Answer = _answers.decode(content)
    return answer
