"""Whose a vector is: the frame of one record of topic `embedding`.

A table's rows are of one size, so that any of a million is found without reading the others: what
many of them share stands in the table's head.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

TOPIC = "embedding"
LONGEST_POSITION = 36  # bytes: two whole numbers of 64 bits and what stands between them
LAYOUT = np.dtype([("time_us", "<i8"), ("series", "<u4"), ("position", f"S{LONGEST_POSITION}")])


class Series(NamedTuple):
    """What the records of one stream and session have in common that are of one variant."""

    stream: str
    session: str
    variant: str


class Row(NamedTuple):
    """The frame of one record.

    Attributes:
        series: of the record.
        position: of the frame in its session.
        time_us: its event time, microseconds since the epoch.
    """

    series: Series
    position: str
    time_us: int

    @property
    def id(self) -> str:
        """Of the record."""
        stream, session, variant = self.series
        return f"{TOPIC}/{stream}/{session}/{self.position}/{variant}"
