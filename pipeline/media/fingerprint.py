"""What a recording is known by: its size and what lies at its ends."""

from __future__ import annotations

import hashlib
import os

SESSION_DIGITS = 12
EDGE_BYTES = 1 << 20  # a file's first and last MiB identify it together with its size


def file_session(path: str, edge_bytes: int = EDGE_BYTES) -> str:
    """12 hex of sha256(size, first and last MiB): a copy of the file is the same session."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            size = os.fstat(file.fileno()).st_size
            first = file.read(edge_bytes)
            file.seek(max(0, size - edge_bytes))
            return edges_session(size, first, file.read(edge_bytes))
    except OSError:  # rejected when it is opened, as any other file that cannot be decoded
        return edges_session(0, b"", b"")


def _open_at_once(path: str, flags: int) -> int:
    """A pipe among the files must not hold everything up; it cannot be sought and is rejected."""
    return os.open(path, flags | os.O_NONBLOCK)


def edges_session(size: int, first: bytes, last: bytes) -> str:
    """The session of a recording of so many bytes with these at its ends."""
    return hashlib.sha256(size.to_bytes(8, "little") + first + last).hexdigest()[:SESSION_DIGITS]
