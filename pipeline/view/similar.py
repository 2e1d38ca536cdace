"""More like this: moments whose embedding is near to that of a frame, in every stream.

An exact comparison, as `search` makes it, with some thousand frames of each axis, evenly spaced
where there are more; it says how many. Vectors are read once and kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.records.record import StoredRecord
from pipeline.vectors.nearest import Halves, cosines, unit
from pipeline.vectors.record import Found, found_in
from pipeline.vectors.row import TOPIC, Row
from pipeline.view.axes import Axes, NotThere
from pipeline.view.series import Axis, Series, Shelf

MOST_FRAMES = 4096  # of one axis
MOST_VECTORS = 65_536  # that are kept, 0.8 kB each of ViT-S
PAGE = 256
FOUND = 12
APART_US = 2_000_000  # two moments of one axis that are nearer are one


@dataclass(frozen=True, slots=True)
class Vectors:
    """Of one axis.

    Attributes:
        series: of which they were read.
        records: that it had then.
        rows: whose the vectors are, N of them.
        matrix: float16 `[N, D]`, each of length one, as tables of vectors have them.
    """

    series: Series
    records: int
    rows: Sequence[Row]
    matrix: Halves


class Similar:
    """Of one sink. From any thread."""

    def __init__(self, shelf: Shelf, axes: Axes) -> None:
        self._shelf = shelf
        self._axes = axes
        self._lock = threading.Lock()
        self._vectors: OrderedDict[Axis, Vectors] = OrderedDict()

    def to(self, identity: str) -> dict[str, Any]:
        """The moments nearest to an embedding record, that one aside.

        Raises:
            NotThere: there is no such record.
        """
        record = self._shelf.index.record(TOPIC, identity)
        asked = _found(record) if record else None
        if asked is None:
            raise NotThere(f"{identity} is no embedding in the sink, or not any more")
        wanted, variant = unit(asked.vector.astype(np.float16)), asked.row.series.variant
        found: list[dict[str, Any]] = []
        looked_at = of = 0
        for axis in self._every_axis():
            vectors = self._of(axis)
            same = [n for n, row in enumerate(vectors.rows) if row.series.variant == variant]
            looked_at, of = looked_at + len(same), of + (vectors.records if same else 0)
            if same:
                found += _nearest(axis, vectors, same, wanted, identity)
        found.sort(key=lambda one: -one["cosine"])
        return {"found": found[:FOUND], "looked_at": looked_at, "of": of}

    def _every_axis(self) -> list[Axis]:
        streams = self._shelf.index.streams(TOPIC)
        return [one.axis for name in streams for one in self._axes.extents(name)]

    def _of(self, axis: Axis) -> Vectors:
        series = self._shelf.series(TOPIC, axis)
        with self._lock:
            known = self._vectors.get(axis)
            same = known is not None and known.series is series
            if same and known and len(series) < known.records * 1.05 + PAGE:
                self._vectors.move_to_end(axis)
                return known
        read = self._read(series)
        with self._lock:
            self._vectors[axis] = read
            self._vectors.move_to_end(axis)
            while sum(len(one.rows) for one in self._vectors.values()) > MOST_VECTORS:
                self._vectors.popitem(last=False)
        return read

    def _read(self, series: Series) -> Vectors:
        count = len(series)
        step = -(-count // MOST_FRAMES) or 1
        offsets = list(series.offsets[::step])
        pages = [offsets[first : first + PAGE] for first in range(0, len(offsets), PAGE)]
        records = [one for page in pages for one in self._shelf.index.records(page)]
        sound = [one for one in map(_found, records) if one is not None]
        kept = [one for one in sound if len(one.vector) == len(sound[-1].vector)]
        matrix = np.stack([one.vector for one in kept]) if kept else np.empty((0, 0))
        return Vectors(series, count, [one.row for one in kept], matrix.astype(np.float16))


def _found(record: StoredRecord) -> Found | None:
    """None of what is no vector, or none of ours."""
    try:
        return found_in(record)
    except (KeyError, ValueError):
        return None


def _nearest(
    axis: Axis, vectors: Vectors, among: list[int], wanted: Halves, identity: str
) -> list[dict[str, Any]]:
    """At most `FOUND` of an axis, none of them near another one or the frame itself."""
    if vectors.matrix.shape[1] != len(wanted):
        return []
    near = cosines(vectors.matrix[among], wanted)
    rows = [vectors.rows[n] for n in among]
    taken, found = [row.time_us for row in rows if row.id == identity][:1], []
    for place in np.argsort(-near, kind="stable"):
        row = rows[place]
        if any(abs(row.time_us - one) < APART_US for one in taken):
            continue
        taken.append(row.time_us)
        found.append(
            {
                "stream": axis.stream,
                "axis": axis.name,
                "time_us": row.time_us,
                "position": row.position,
                "cosine": round(float(near[place]), 4),
                "id": row.id,
            }
        )
        if len(found) == FOUND:
            break
    return found
