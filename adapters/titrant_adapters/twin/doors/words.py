"""Numbers in registers of sixteen bits, the high word first."""

from __future__ import annotations

import struct


def number_of(high: int, low: int) -> float:
    """What two registers hold."""
    number: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    return number


def words_of(number: float) -> tuple[int, int]:
    """A number in two registers."""
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    return high, low


def whole_of(words: list[int]) -> int:
    """A whole number in two registers."""
    return (words[0] << 16) + words[1]
