"""Where identities and seeds come from: drawn once, recorded in the log, never drawn again at replay."""

from __future__ import annotations

import hashlib
import secrets


def log_id(seed: int | None = None) -> str:
    """A log's identity, 128 bit as hex; derived from *seed* where given, so that a simulation repeats byte for byte."""
    if seed is None:
        return secrets.token_hex(16)
    return hashlib.sha256(f"titrant/log/{seed}".encode()).hexdigest()[:32]


def seed() -> int:
    """A fresh seed, 31 bit."""
    return secrets.randbits(31)


def token() -> str:
    """A secret that cannot be guessed, 128 bit as hex: for who may talk to whom on one machine; never recorded."""
    return secrets.token_hex(16)
