"""Scores of frames -> episodes: stretches of one stream that are like what was asked for.

The best frame's neighbours are as good as it is, and are no answers of their own: an episode holds
them, and hides what is near to it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.moment import rfc3339
from pipeline.stream.session import is_connection
from pipeline.vectors.row import Row, Series
from pipeline.vectors.table import Table

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Episode:
    """
    Attributes:
        best: its frame with the highest score.
        score: of that frame.
        start_us, end_us: event times of its first and last hit.
        hits: its frames whose score lies in the upper half between the usual one and its best.
    """

    best: Row
    score: float
    start_us: int
    end_us: int
    hits: int

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "id": self.best.id,
            "stream": self.best.series.stream,
            "session": self.best.series.session,
            "position": self.best.position,
            "time": rfc3339(self.best.time_us),
            "score": round(self.score, 4),
            "start": rfc3339(self.start_us),
            "end": rfc3339(self.end_us),
            "hits": self.hits,
        }


class Line:
    """The rows of each axis of time by their times: a recording's session, or all of a live
    stream's connections."""

    def __init__(self, table: Table) -> None:
        axes = [_axis(one) for one in table.head.series]
        self.names = sorted(set(axes))
        numbers = np.array([self.names.index(one) for one in axes], np.int64)
        self.of_rows: NDArray[np.int64] = numbers[table.series_numbers]
        self._times_us = table.times_us
        self._known: dict[int, NDArray[np.intp]] = {}

    def rows(self, axis: int) -> NDArray[np.intp]:
        """Those of one axis, the earliest first."""
        if axis not in self._known:
            own = np.flatnonzero(self.of_rows == axis)
            self._known[axis] = own[np.argsort(self._times_us[own], kind="stable")]
        return self._known[axis]

    def near(self, row: int, apart_us: int) -> NDArray[np.intp]:
        """Rows of the same axis that are no farther from a row, itself among them."""
        return self.within(row, self._times_us[row] - apart_us, self._times_us[row] + apart_us)

    def within(self, row: int, from_us: int, to_us: int) -> NDArray[np.intp]:
        """Rows of a row's axis from one time to another."""
        own = self.rows(int(self.of_rows[row]))
        first, behind = np.searchsorted(self._times_us[own], [from_us, to_us + 1])
        return own[first:behind]


def episodes(
    table: Table,
    scores: Scores,
    taken: NDArray[np.bool_],
    *,
    apart_us: int,
    most: int,
    known: Sequence[int] = (),
) -> list[Episode]:
    """The best ones, the best first; of equal ones by stream, time and id.

    Args:
        table: whose rows are scored.
        scores: float64 `[N]`.
        taken: `[N]`, which rows are looked at.
        apart_us: hits of one axis that are farther apart are of two episodes; what is nearer to an
            episode is no other one.
        most: how many at most.
        known: rows that the question was made of, which with their neighbours answer nothing.
    """
    line, left = Line(table), np.where(taken, scores, -np.inf)
    for row in known:
        left[line.near(row, apart_us)] = -np.inf
    usual = float(np.median(scores[taken])) if taken.any() else 0.0
    found: list[Episode] = []
    while len(found) < most and len(left) and (top := float(left.max())) > -np.inf:
        best = _first(table, line, np.flatnonzero(left == top))
        hits = _hits(table, line, left, best, min(top, (top + usual) / 2), apart_us)
        start_us, end_us = int(table.times_us[hits[0]]), int(table.times_us[hits[-1]])
        found.append(Episode(table.row(best), top, start_us, end_us, len(hits)))
        left[line.within(best, start_us - apart_us, end_us + apart_us)] = -np.inf
    return found


def _hits(
    table: Table, line: Line, left: Scores, best: int, floor: float, apart_us: int
) -> NDArray[np.intp]:
    """Rows around the best one that reach a score, none far from the next."""
    own = line.rows(int(line.of_rows[best]))
    hits = own[left[own] >= floor]
    ends = np.flatnonzero(np.diff(table.times_us[hits]) > apart_us) + 1
    place = int(np.flatnonzero(hits == best)[0])
    return next(one for one in np.split(hits, ends) if _holds(one, hits[place]))


def _holds(rows: NDArray[np.intp], row: int) -> bool:
    return bool((rows == row).any())


def _first(table: Table, line: Line, rows: NDArray[np.intp]) -> int:
    """Of equal rows the one that comes first by stream, time and id."""
    if len(rows) == 1:
        return int(rows[0])
    names = sorted({name for name, _ in line.names})
    ranks = np.array([names.index(name) for name, _ in line.names])[line.of_rows[rows]]
    rows = rows[ranks == ranks.min()]
    times_us = table.times_us[rows]
    rows = rows[times_us == times_us.min()]
    return min(map(int, rows), key=lambda one: table.row(one).id)


def _axis(series: Series) -> tuple[str, str]:
    session = series.session
    return series.stream, "" if is_connection(session) else session
