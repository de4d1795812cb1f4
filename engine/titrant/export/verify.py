#!/usr/bin/env python3
r"""Check an export of a titrant log; needs Python 3.9 or newer and nothing else.

    python3 verify.py [EXPORT] [HEAD]

EXPORT is its folder or zip file; the folder of this program where it is left out.  HEAD is a head that was published
earlier: a line "titrant-head LOG_ID SEQ HASH", a file that holds one, or SEQ:HASH.

It recomputes the chain of hashes from the log's identity to its last event, looks for gaps, clocks and epochs that go
backwards, holds every file against manifest.json, signatures against the events they cover, and the chain against
HEAD.  Exit code 0: nothing is wrong; 1: the first fault is printed; 2: it could not be checked.

The exact preimages:

    genesis = sha256("titrant-log-v1\n" + JSON array of log_id, format, created_at, created_by, hash_alg)
    hash    = sha256(previous hash, 32 bytes + JSON array of the columns seq to epoch + "\n" + payload)
"""

import hashlib
import json
import os
import re
import sys
import zipfile
import zlib

COLUMNS = (
    "seq part type schema trial recorded_at observed_at actor role reason cause correlation idem_key epoch".split()
)
IDENTITY = "log_id format created_at created_by hash_alg".split()
PUBLISHED = re.compile(r"titrant-head\s+(\S+)\s+(\d+)\s+([0-9a-fA-F]{64})")
BROKEN = (OSError, ValueError, RecursionError, zipfile.BadZipFile, zlib.error, EOFError)
SHORT = re.compile(r"(\d+):([0-9a-fA-F]{64})")


class Fault(Exception):
    """Something is wrong with the export."""


class Unreadable(Exception):
    """It cannot be checked."""


def main(arguments):
    """Check, and say what was found."""
    if len(arguments) > 2 or any(one in ("-h", "--help") for one in arguments):
        print(__doc__)
        return 2
    where = arguments[0] if arguments else os.path.dirname(os.path.abspath(__file__))
    try:
        head = published(arguments[1]) if len(arguments) > 1 else None
        print(check(where, head))
    except Fault as fault:
        print(f"FAULT: {fault}")
        return 1
    except Unreadable as problem:
        print(f"cannot check: {problem}", file=sys.stderr)
        return 2
    return 0


def check(where, head=None):
    """Check an export and say what it holds."""
    names, opened = reader(where)
    manifest = manifest_of(names, opened, where)
    for name in ("events.jsonl", *manifest["files"]):
        if name not in names or name not in manifest["files"]:
            raise Fault(name + (" is missing in manifest.json" if name in names else " is missing"))
    try:
        seq, last, trials, signatures, whole = events(manifest, opened, head)
    except (TypeError, KeyError, *BROKEN) as problem:
        raise Fault(f"events.jsonl cannot be read: {type(problem).__name__}: {problem}") from None
    if (seq, last) != (manifest["head"]["seq"], manifest["head"]["hash"]):
        raise Fault(f"events.jsonl ends at event {seq} with the hash {last}, and manifest.json says otherwise")
    for name, sums in sorted(manifest["files"].items()):
        if (whole if name == "events.jsonl" else digest_of(opened, name)) != sums["sha256"]:
            raise Fault(f"{name} was changed: its SHA-256 is not the one in manifest.json")
    counts = manifest["counts"]
    if (seq, trials) != (counts["events"], counts["trials"]):
        raise Fault(f"there are {seq} events of {trials} trials, and manifest.json says otherwise")
    told = [f"sound: {seq} events of {trials} trials, {signatures} signature{'s' * (signatures != 1)}"]
    told += [f"titrant-head {manifest['log']['log_id']} {seq} {last}"]
    others = sorted(set(names) - set(manifest["files"]) - {"manifest.json"})
    told += [f"not part of the export, and not checked: {name}" for name in others]
    return "\n".join(told + ([] if head else ["no head was given: a log written anew as a whole would not show"]))


def events(manifest, opened, head):
    """Follow the chain; give the last number and hash, the trials, the signatures and the hash of the file."""
    identity = [manifest["log"][name] for name in IDENTITY]
    if identity[-1] != "sha256-v1":
        raise Unreadable(f"the log's hashes are of the kind {identity[-1]!r}, which this program does not know")
    previous = hashlib.sha256(b"titrant-log-v1\n" + line_of(identity)).digest()
    held(head, manifest["log"]["log_id"], 0, previous)
    seq = at = epoch = trials = signatures = 0
    part = -1
    whole = hashlib.sha256()
    digests = bytearray()  # of every event, since a signature may cover any: 32 bytes each
    with opened("events.jsonl") as lines:
        for line in lines:
            whole.update(line)
            try:
                event = json.loads(line)
                envelope, payload = [event[name] for name in COLUMNS], event["payload"]
                preimage = line_of(envelope) + b"\n" + payload.encode()
                stored = bytes.fromhex(event["hash"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
                raise Fault(f"event {seq + 1} cannot be read: {type(problem).__name__}: {problem}") from None
            if envelope[0] != seq + 1:
                raise Fault(f"event {seq + 1} is missing: event {envelope[0]!r} comes next")
            digest = hashlib.sha256(previous + preimage).digest()
            if digest != stored:
                raise Fault(f"event {seq + 1}: its hash does not fit: it, or one before it, was changed")
            if envelope[5] < at or envelope[13] < epoch or (envelope[1] and envelope[1] != part + 1):
                raise Fault(f"event {seq + 1}: its time, its epoch or its place in its request goes backwards")
            seq, part, at, epoch, previous = envelope[0], envelope[1], envelope[5], envelope[13], digest
            digests += digest
            held(head, manifest["log"]["log_id"], seq, digest)
            trials += envelope[2] == "trial.created"
            if envelope[2] == "log.signed":
                signatures += 1
                signed = json.loads(payload)
                covered = signed["seq"]
                if not 0 < covered < seq or digests[32 * covered - 32 : 32 * covered].hex() != signed["hash"]:
                    raise Fault(f"event {seq}: {envelope[7]} signed something else than stands here")
    if head and head[1] > seq:
        raise Fault(f"the log is truncated: it ends at event {seq}, and the head published is event {head[1]}")
    return seq, previous.hex(), trials, signatures, whole.hexdigest()


def held(head, log_id, seq, digest):
    """Hold an event against the head that was published."""
    if head and head[0] not in ("", log_id):
        raise Fault(f"the head published is of the log {head[0]}, and this is {log_id}")
    if head and head[1] == seq and head[2].lower() != digest.hex():
        raise Fault(f"the log was rewritten at or before event {seq}: the head published has another hash")


def line_of(values):
    """A line of JSON as the chain covers it."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


def published(text):
    """Read a head: its log, number and hash."""
    if not PUBLISHED.search(text) and not SHORT.fullmatch(text):
        try:
            with open(text, encoding="utf-8") as file:
                text = file.read(65536).strip()
        except (OSError, ValueError) as problem:
            raise Unreadable(f"{text!r} is no head and no file that holds one: {problem}") from None
    found, short = PUBLISHED.search(text), SHORT.fullmatch(text)
    if not found and not short:
        raise Unreadable("there is no head in it: give a line 'titrant-head LOG_ID SEQ HASH', or SEQ:HASH")
    return (found[1], int(found[2]), found[3]) if found else ("", int(short[1]), short[2])


def manifest_of(names, opened, where):
    """Read what the export says of itself."""
    if "manifest.json" not in names:
        raise Unreadable(f"{where} is no export: it has no manifest.json")
    try:
        with opened("manifest.json") as file:
            manifest = json.loads(file.read())
        parts = [manifest["log"][name] for name in IDENTITY] + [manifest["head"]["seq"], manifest["head"]["hash"]]
        parts += [manifest["counts"]["events"], manifest["counts"]["trials"], dict(manifest["files"])]
        kind = (manifest["format"], manifest["version"])
    except (KeyError, TypeError, AttributeError, *BROKEN) as problem:
        raise Fault(f"manifest.json cannot be read: {type(problem).__name__}: {problem}") from None
    if kind != ("titrant-export", 1):
        raise Unreadable(f"manifest.json is of the kind {kind!r}, which this program does not know")
    return manifest


def digest_of(opened, name):
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    try:
        with opened(name) as file:
            for part in iter(lambda: file.read(1 << 20), b""):
                digest.update(part)
    except BROKEN as problem:
        raise Fault(f"{name} cannot be read: {problem}") from None
    return digest.hexdigest()


def reader(where):
    """The names of an export's files, and how to open them."""
    try:
        if os.path.isdir(where):
            names = [name for name in os.listdir(where) if os.path.isfile(os.path.join(where, name))]
            return names, lambda name: open(os.path.join(where, name), "rb")
        archive = zipfile.ZipFile(where)
    except (OSError, zipfile.BadZipFile) as problem:
        raise Unreadable(f"{where} is no folder and no zip file of an export: {problem}") from None
    return archive.namelist(), archive.open


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
