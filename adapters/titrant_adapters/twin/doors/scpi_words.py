"""Words and numbers of SCPI."""

from __future__ import annotations

from titrant_adapters.twin.ledger import Value

NAN = "9.91E37"  # what SCPI says for "not a number"
SHORT = {
    "SYSTEM": "SYST",
    "ERROR": "ERR",
    "SOURCE": "SOUR",
    "MEASURE": "MEAS",
    "INITIATE": "INIT",
    "IMMEDIATE": "IMM",
    "FETCH": "FETC",
    "ABORT": "ABOR",
    "STATUS": "STAT",
    "QUESTIONABLE": "QUES",
    "CONDITION": "COND",
}
NEXT = ("IMM", "NEXT")  # parts of a header that may be left out


def text_of(value: Value) -> str:
    """A value as it is answered."""
    return f'"{value}"' if isinstance(value, str) else f"{value:.9G}"
