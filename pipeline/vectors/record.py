"""A stored record of topic `embedding` -> its vector and whose it is, or why it is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.vectors.row import LONGEST_POSITION, Row, Series

MARKS = ("untrained", "outofdomain")
_OFF = 0.01  # by so much a length may differ from one before it is no rounding


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One vector.

    Attributes:
        row: whose it is.
        model: architecture and hash of the weights.
        vector: float32 `[D]`, of length one.
        marks: of `MARKS`, those that the record bears.
    """

    row: Row
    model: str
    vector: NDArray[np.float32]
    marks: tuple[str, ...]


def found_in(record: StoredRecord) -> Found:
    """
    Raises:
        ValueError: it is no embedding, or broken: the text says how.
        KeyError: it lacks an attribute.
    """
    headers = record.message.headers
    parts = headers["ce_id"].split("/")
    series = Series(headers["ce_streamid"], headers["ce_session"], headers["ce_variant"])
    if len(parts) != 5 or (parts[1], parts[2], parts[4]) != series:
        raise ValueError(f"its id {headers['ce_id']!r} is of another record")
    if len(parts[3].encode()) > LONGEST_POSITION:
        raise ValueError(f"its position is {len(parts[3])} letters long")
    row = Row(series, parts[3], time_us(headers["ce_time"]))
    return Found(
        row,
        headers["ce_model"],
        unit_vector(record.message.value, int(headers["ce_dim"])),
        tuple(name for name in MARKS if f"ce_{name}" in headers),
    )


def unit_vector(value: bytes, dimension: int) -> NDArray[np.float32]:
    """Little-endian float32 of length one, as the topic has them, `[D]`.

    Raises:
        ValueError: they are not so many, not finite or not of length one.
    """
    vector = np.frombuffer(value, "<f4").astype(np.float32)
    if len(vector) != dimension:
        raise ValueError(f"a vector of {len(vector)} numbers, its dim is {dimension}")
    length = float(np.sqrt(vector @ vector))
    if not abs(length - 1) < _OFF:
        raise ValueError(f"a vector of length {length:g}, not 1")
    return vector
