"""A commit as bytes, and back: a head of JSON behind its length, then the payloads. Pure."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict

from operators.result import canonical_json
from pipeline.records.commit import Commit, Link
from pipeline.records.record import Message
from pipeline.stream.progress import Progress

_LENGTH = struct.Struct("<I")


def to_bytes(commit: Commit, kept_us: int) -> bytes:
    """
    Args:
        commit: of a live stream.
        kept_us: wall clock, microseconds since the epoch.
    """
    assert commit.link
    messages = [[m.topic, m.key, dict(m.headers), len(m.value)] for m in commit.messages]
    facts = {"kept_us": kept_us, "progress": commit.progress.plain(), "link": asdict(commit.link)}
    head = canonical_json({**facts, "messages": messages})
    return b"".join([_LENGTH.pack(len(head)), head, *(m.value for m in commit.messages)])


def from_bytes(data: bytes) -> tuple[Commit, int]:
    """The commit, and when it was kept.

    Raises:
        KeyError, TypeError, ValueError: another version wrote it.
    """
    (length,) = _LENGTH.unpack_from(data)
    start = _LENGTH.size + length
    head = json.loads(data[_LENGTH.size : start])
    messages = []
    for topic, key, headers, size in head["messages"]:
        messages.append(Message(topic, key, headers, data[start : start + size]))
        start += size
    progress = Progress.from_json(head["progress"])
    return Commit(tuple(messages), progress, Link(**head["link"])), head["kept_us"]
