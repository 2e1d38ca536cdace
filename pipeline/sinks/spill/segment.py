"""One file of a log: entries behind their lengths and checksums.

A header is the entry's length, its CRC32C and the CRC32C of those two, so that one bad byte costs
one entry. Knows nothing of what is in an entry.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crc32c import crc32c

_FACTS = struct.Struct("<II")  # length, CRC of the entry
_CHECK = struct.Struct("<I")
HEADER_BYTES = _FACTS.size + _CHECK.size
GONE = (errno.ENOENT, errno.EIO)  # for good: a file that was removed, a bad sector


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at a place of a segment.

    Attributes:
        offset, size: of it with its header, bytes.
        data: the entry; None where it is damaged.
        torn: the file ends within it.
    """

    offset: int
    size: int
    data: bytes | None
    torn: bool = False


def framed(data: bytes) -> bytes:
    """An entry as it lies in a segment."""
    facts = _FACTS.pack(len(data), crc32c(data))
    return b"".join([facts, _CHECK.pack(crc32c(facts)), data])


def write(descriptor: int, data: bytes) -> None:
    """All of it, to the disk itself."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def scan(path: Path) -> Iterator[Found]:
    """All that lies in a segment, in order. Behind a damaged header nothing can be told apart: the
    rest is one."""
    end = path.stat().st_size
    with path.open("rb") as file:
        offset = 0
        while offset < end:
            found = _next(file, offset, end - offset)
            yield found
            offset += found.size


def read(path: Path, offset: int) -> bytes | None:
    """The entry at an offset; None where it is damaged or gone by now.

    Raises:
        OSError: it may be whole, and cannot be read at this moment.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return _next(file, offset, path.stat().st_size - offset).data
    except OSError as error:
        if error.errno in GONE:
            return None
        raise


def _next(file: BinaryIO, offset: int, left: int) -> Found:
    header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return Found(offset, left, None, torn=True)
    length, crc = _FACTS.unpack_from(header)
    (check,) = _CHECK.unpack_from(header, _FACTS.size)
    if check != crc32c(header[: _FACTS.size]):
        return Found(offset, left, None)
    if HEADER_BYTES + length > left:
        return Found(offset, left, None, torn=True)
    data = file.read(length)
    return Found(offset, HEADER_BYTES + length, data if crc32c(data) == crc else None)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
