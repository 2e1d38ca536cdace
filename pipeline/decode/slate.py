"""How a decode process fares, written down where its host can look: a sign of life costs nobody
anything who does not want to know.

The place is the beginning of a file in memory, which outlives the process. Two notes are written
over in turn: of one that is just being written, or was when its process died, the other holds.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import dataclass, field

from pipeline.stream.chunk import Counts

NOTE_BYTES = 1 << 16  # most are shorter than 200; the mark of a hostile playlist has 35,000
SLATE_BYTES = 2 * NOTE_BYTES
Reached = tuple[Counts, list[int | None] | None]
"""What a live connection has brought so far: counts and mark of a note."""

_HEAD = struct.Struct("<II")  # length and checksum of what follows


@dataclass(frozen=True, slots=True)
class Note:
    """
    Attributes:
        alive_s: when it was written, by the machine's monotonic clock; 0: none ever was.
        memory_bytes: the process's peak resident memory so far.
        counts: what a live connection has brought so far.
        mark: of its last picture, for the next connection (`pipeline.media.picture.Mark`).
    """

    alive_s: float = 0.0
    memory_bytes: int = 0
    counts: Counts = field(default_factory=Counts)
    mark: list[int | None] | None = None


class Slate:
    """Of one decode process: it writes, its host reads."""

    def __init__(self, fd: int) -> None:
        """
        Args:
            fd: of a file; its first `SLATE_BYTES` are for notes alone.
        """
        self._fd = fd
        self._turn = 0

    def write(self, note: Note) -> None:
        """The newest."""
        counts = (note.counts.decoded, note.counts.sampled, note.counts.lost)
        text = json.dumps((note.alive_s, note.memory_bytes, counts, note.mark)).encode()
        head = _HEAD.pack(len(text), zlib.crc32(text))
        os.pwrite(self._fd, head + text, self._turn * NOTE_BYTES)
        self._turn = 1 - self._turn

    def read(self) -> Note:
        """The newest that is whole."""
        return max(self._whole(0), self._whole(1), key=lambda note: note.alive_s)

    def _whole(self, turn: int) -> Note:
        data = os.pread(self._fd, NOTE_BYTES, turn * NOTE_BYTES)
        if len(data) < _HEAD.size:
            return Note()
        length, checksum = _HEAD.unpack_from(data)
        text = data[_HEAD.size : _HEAD.size + length]
        if not text or zlib.crc32(text) != checksum:
            return Note()
        alive_s, memory_bytes, counts, mark = json.loads(text)
        return Note(alive_s, memory_bytes, Counts(*counts), mark)
