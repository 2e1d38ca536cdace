"""Walks the boxes of ISO base media files (ISO/IEC 14496-12): MP4, MOV and what descends from them.

Bytes in -> boxes out; knows what none of them means.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.media.transfer import Seekable, exactly

LARGEST_HEADER = 64 << 20  # bytes of `moov`; larger ones are not looked at


@dataclass(frozen=True, slots=True)
class Box:
    """One at a file's top.

    Attributes:
        kind: four characters.
        begins, size: of its contents, bytes.
    """

    kind: bytes
    begins: int
    size: int

    def contents(self, file: Seekable) -> bytes:
        """All of it, from the file that it lies in."""
        file.seek(self.begins)
        return exactly(file, self.size)


def top_boxes(file: Seekable) -> Iterator[Box]:
    """A file's boxes in their order; of one that is cut off, those that begin in it. Over http each
    costs a request.

    Raises:
        struct.error: it ends in the middle of a box's head.
    """
    at, end = 0, file.seek(0, os.SEEK_END)
    while end - at >= 8:
        file.seek(at)
        size, kind = struct.unpack(">I4s", exactly(file, 8))
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", exactly(file, 8))
            head = 16
        size = max(size or end - at, head)
        yield Box(kind, at + head, size - head)
        at += size


def boxes(data: bytes, wanted: bytes) -> Iterator[bytes]:
    """Contents of the boxes of one kind, among those that stand in `data` side by side."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        if kind == wanted:
            yield data[at + 8 : at + size]
        at += size


def inside(data: bytes, *path: bytes) -> bytes:
    """Contents of the first box of each kind within the one before; empty where one is missing."""
    for name in path:
        data = next(boxes(data, name), b"")
    return data
