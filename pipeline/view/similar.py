"""More like this: moments whose embedding is near to that of a frame, in every stream.

An exact comparison with some thousand frames of each axis, evenly spaced where there are more; it
says how many. Vectors are read once and kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.view.axes import Axes, NotThere
from pipeline.view.series import Axis, Series, Shelf

TOPIC = "embedding"
MOST_FRAMES = 4096  # of one axis
MOST_VECTORS = 65_536  # that are kept, 1.5 kB each of ViT-S
PAGE = 256
FOUND = 12
APART_US = 2_000_000  # two moments of one axis that are nearer are one


@dataclass(frozen=True, slots=True)
class Vectors:
    """Of one axis.

    Attributes:
        series: of which they were read.
        records: that it had then.
        matrix: float32 `[N, D]`, each of norm 1.
    """

    series: Series
    records: int
    variants: Sequence[str]
    ids: Sequence[str]
    times_us: Sequence[int]
    matrix: NDArray[np.float32]


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
        if record is None or not _sound(record):
            raise NotThere(f"{identity} is no embedding in the sink, or not any more")
        wanted, variant = _vector(record), record.message.headers["ce_variant"]
        found: list[dict[str, Any]] = []
        looked_at = of = 0
        for axis in self._every_axis():
            vectors = self._of(axis)
            same = [n for n, one in enumerate(vectors.variants) if one == variant]
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
            while sum(len(one.ids) for one in self._vectors.values()) > MOST_VECTORS:
                self._vectors.popitem(last=False)
        return read

    def _read(self, series: Series) -> Vectors:
        count = len(series)
        step = -(-count // MOST_FRAMES) or 1
        offsets = list(series.offsets[::step])
        pages = [offsets[first : first + PAGE] for first in range(0, len(offsets), PAGE)]
        records = [one for page in pages for one in self._shelf.index.records(page)]
        width = len(_vector(records[-1])) if records else 0
        kept = [one for one in records if len(_vector(one)) == width and _sound(one)]
        return Vectors(
            series,
            count,
            [one.message.headers["ce_variant"] for one in kept],
            [one.message.id for one in kept],
            [time_us(one.message.headers["ce_time"]) for one in kept],
            np.stack([_vector(one) for one in kept]) if kept else np.empty((0, 0), np.float32),
        )


def _vector(record: StoredRecord) -> NDArray[np.float32]:
    """Little-endian float32, as the topic has them."""
    value = record.message.value
    return np.frombuffer(value[: len(value) // 4 * 4], "<f4").astype(np.float32)


def _sound(record: StoredRecord) -> bool:
    """Whether it is all numbers, and one of ours."""
    named = "ce_time" in record.message.headers and "ce_variant" in record.message.headers
    return named and bool(np.isfinite(_vector(record)).all())


def _nearest(
    axis: Axis, vectors: Vectors, among: list[int], wanted: NDArray[np.float32], identity: str
) -> list[dict[str, Any]]:
    """At most `FOUND` of an axis, none of them near another one or the frame itself."""
    if vectors.matrix.shape[1] != len(wanted):
        return []
    cosines = vectors.matrix[among] @ wanted
    own = [vectors.times_us[n] for n in among if vectors.ids[n] == identity]
    taken, found = own[:1], []
    for place in np.argsort(-cosines):
        number = among[int(place)]
        at_us = vectors.times_us[number]
        if any(abs(at_us - one) < APART_US for one in taken):
            continue
        taken.append(at_us)
        found.append(
            {
                "stream": axis.stream,
                "axis": axis.name,
                "time_us": at_us,
                "position": vectors.ids[number].split("/")[3],
                "cosine": round(float(cosines[int(place)]), 4),
                "id": vectors.ids[number],
            }
        )
        if len(found) == FOUND:
            break
    return found
