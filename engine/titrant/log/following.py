"""A program of its own: it reads a log and follows its chain of hashes for the process that folds the events.

``beside.py`` starts it with the standard library alone, so that it is soon at work.  It writes each batch of events
that it found sound to its output: a head (the last sequence number, the length of what follows, the hash of the last
event), then what the hashes cover, as SQLite joined it.  At the first batch that is anything other than expected it
ends; whoever asked looks at that one.
"""

import sqlite3
import sys
from hashlib import sha256
from struct import Struct

HEAD = Struct("=QQ32s")
SEPARATOR = b"\n\n"
"""Of events that SQLite joined: neither line of one is empty."""


def follow(uri: str, pragmas: str, select: str, after: int, until: int, batch: int, link: bytes) -> None:
    """Write the events with ``after < seq <= until``, *batch* at a time, as far as they are sound.

    A newline behind a payload goes to the next event when they are parted, whose hash is then another one.
    """
    reader = sqlite3.connect(uri, uri=True, isolation_level=None)
    reader.executescript(pragmas)
    execute, write, pack, sha = reader.execute, sys.stdout.buffer.write, HEAD.pack, sha256
    while after < until:
        count, last, lines, stored = execute(select, (after, until, batch)).fetchone()
        if not count or last - after != count:
            return
        covered, hashes = lines.split(SEPARATOR), []
        for one in covered:
            link = sha(link + one).digest()
            hashes.append(link)
        if len(hashes) != count or b"".join(hashes) != stored:
            return
        write(pack(last, len(lines), link))
        write(lines)
        after = last
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _uri, _pragmas, _select, _after, _until, _batch, _link = sys.argv[1:]
    follow(_uri, _pragmas, _select, int(_after), int(_until), int(_batch), bytes.fromhex(_link))
