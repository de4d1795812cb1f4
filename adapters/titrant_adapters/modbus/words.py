"""Numbers in registers: where they stand, and what their bits mean."""

from __future__ import annotations

import hashlib
import re
import struct
from typing import Any, Literal

import msgspec

from titrant.errors import ConfigurationError, RunnerError

Table = Literal["holding", "input", "coil", "discrete"]

TYPES = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "float32": "f", "uint64": "Q", "float64": "d"}
HIGHEST = 0xFFFF
ADDRESS = re.compile(rf"(?:(holding|input|coil|discrete):)?(\d{{1,5}})(?::({'|'.join(TYPES)}))?")


class Address(msgspec.Struct, frozen=True):
    """Where a number stands, as ``"table:number:type"``; ``"7"`` is holding register 7 with 16 bits.

    Attributes:
        table: Holding registers and coils can be written, input registers and discrete inputs only read.
        number: Counted from 0, as on the wire.
        kind: One of ``TYPES``; without meaning for coils and discrete inputs.
    """

    table: Table
    number: int
    kind: str

    @classmethod
    def read(cls, text: str | int) -> Address:
        """Read one.

        Raises:
            ConfigurationError: It is none.
        """
        found = ADDRESS.fullmatch(str(text))
        if found is None or int(found[2]) > HIGHEST:
            raise ConfigurationError(
                f"{text!r} is no address: write '7', '7:float32', 'input:7:int16' or 'coil:7'; types are "
                + ", ".join(TYPES)
            )
        return cls(found[1] or "holding", int(found[2]), found[3] or "uint16")  # type: ignore[arg-type]

    @property
    def bit(self) -> bool:
        """Whether it is one bit."""
        return self.table in ("coil", "discrete")

    @property
    def count(self) -> int:
        """How many registers or bits it takes."""
        return 1 if self.bit else struct.calcsize(TYPES[self.kind]) // 2

    @property
    def whole(self) -> bool:
        """Whether only whole numbers stand there."""
        return not self.bit and not self.kind.startswith("float")

    def words(self, value: Any, *, low_first: bool) -> list[int]:
        """The registers of a number, or its bit.

        Raises:
            RunnerError: It does not fit.
        """
        try:
            if self.bit:
                return [int(bool(float(value)))]
            raw = struct.pack(f">{TYPES[self.kind]}", round(value) if self.whole else float(value))
        except (struct.error, OverflowError, TypeError, ValueError) as exc:
            raise RunnerError(f"{value!r} does not fit into {self.kind} at {self.number}: {exc}") from exc
        words = list(struct.unpack(f">{len(raw) // 2}H", raw))
        return words[::-1] if low_first else words

    def number_of(self, words: list[int], *, low_first: bool) -> float | int:
        """The number in registers.

        Raises:
            OSError: There are more or fewer of them than were asked for.
        """
        if len(words) != self.count:
            raise OSError(f"{len(words)} registers came and not {self.count}")
        raw = struct.pack(f">{len(words)}H", *(words[::-1] if low_first else words))
        number: float | int = struct.unpack(f">{TYPES[self.kind]}", raw)[0]
        return number

    def name_for(self, key: str) -> int:
        """A number for a key, as long as the device can hold; never 0, which stands there before any run."""
        number: int = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
        return number % ((1 << (16 * self.count - 1)) - 1) + 1
