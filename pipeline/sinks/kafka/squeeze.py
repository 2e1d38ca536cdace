"""How batches are squeezed by gzip: as far as it pays, and not at all where it gains nothing.

kafka-python always takes the highest level. On records of 1 kB that was four fifths of all that it
cost to write them; the third level takes a quarter of the time and is 8 % larger.
"""

from __future__ import annotations

import gzip
import zlib

from kafka.record import default_records

LEVEL = 3
STRIDE_BYTES = 16 << 10  # of each such part the beginning is tried first
PIECE_BYTES = 1 << 10
WORTH = 0.9  # of its size; PNGs and vectors stay above


def use() -> None:
    """From now on kafka-python's producers of this process squeeze so."""
    default_records.gzip_encode = squeezed


def squeezed(data: bytes) -> bytes:
    """`data` as gzip, or as it is where a sample says that it stays as large; the client sends what
    did not get smaller as not compressed, which readers are told batch by batch."""
    starts = range(0, len(data), STRIDE_BYTES)
    sample = b"".join(data[start : start + PIECE_BYTES] for start in starts)
    if len(starts) > 1 and len(zlib.compress(sample, 1)) > WORTH * len(sample):
        return data
    return gzip.compress(data, LEVEL, mtime=0)
