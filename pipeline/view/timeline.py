"""What lies along an axis of time: stretches with frames, gaps, and marks by lane.

Axis and span in -> JSON values out. Marks of an axis are read once, when somebody looks at it, and
then as they come.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from itertools import pairwise
from typing import Any

from pipeline.view.axes import Axes
from pipeline.view.coverage import Span, covered, usual_interval_us
from pipeline.view.marked import Marked
from pipeline.view.marks import LANES, TOPICS, Mark, drawable, labels_of
from pipeline.view.series import Axis, Series, Shelf

AXES = 16  # whose marks are remembered
MOST_LABELS = 200


class Timeline:
    """Of all streams of a sink. From any thread."""

    def __init__(self, shelf: Shelf, axes: Axes) -> None:
        self._shelf = shelf
        self._axes = axes
        self._lock = threading.Lock()
        self._read: OrderedDict[tuple[Axis, str], Marked] = OrderedDict()

    def of(
        self, axis: Axis, from_us: int | None, to_us: int | None, *, width: int, text: str
    ) -> dict[str, Any]:
        """
        Args:
            axis: where.
            from_us, to_us: what of it; its own ends where None.
            width: in how many parts it is drawn, pixels.
            text: only labels that hold it, in whatever case.

        Raises:
            NotThere: no such stream or axis.
        """
        frames = self._axes.frames(axis)
        ends = frames.time_us(frames.first_left()), frames.time_us(len(frames) - 1)
        span = (ends[0] if from_us is None else from_us, ends[1] if to_us is None else to_us)
        marks, left_out = self._marks(axis)
        stretches = _covered(frames, span, width)
        between = [(before[1], behind[0]) for before, behind in pairwise(stretches)]
        return {
            "from_us": span[0],
            "to_us": span[1],
            "first_us": ends[0],
            "last_us": ends[1],
            "covered": _within(span, stretches),
            "gaps": [{"from_us": one, "to_us": other} for one, other in _within(span, between)],
            "lanes": _lanes(marks, span, width, text.casefold()),
            "labels": [
                {"name": name, "count": count}
                for name, count in _labels(marks).most_common(MOST_LABELS)
            ],
            "left_out": left_out,
        }

    def _marks(self, axis: Axis) -> tuple[list[Mark], int]:
        found: list[Mark] = []
        left_out = 0
        for topic in TOPICS:
            read = self._of_topic(axis, topic)
            left_out += read.catch_up()
            found += read.marks
        return sorted(found, key=lambda one: one.from_us), left_out

    def _of_topic(self, axis: Axis, topic: str) -> Marked:
        series = self._shelf.series(topic, axis)
        with self._lock:
            known = self._read.get((axis, topic))
            if known is None or known.series is not series:
                known = self._read[axis, topic] = Marked(
                    self._shelf.index, series, self._axes.times
                )
            self._read.move_to_end((axis, topic))
            while len(self._read) > AXES * len(TOPICS):
                self._read.popitem(last=False)
            return known


def _covered(frames: Series, span: Span, width: int) -> list[Span]:
    """Stretches that reach into the span, or stand next to it."""
    first = max(frames.last_at(span[0]), frames.first_left())
    last = min(frames.first_at(span[1]), len(frames) - 1)
    if first > last:
        return []
    interval_us = usual_interval_us(frames.time_us, frames.first_left(), len(frames) - 1)
    pixel_us = (span[1] - span[0]) // width
    return covered(frames.time_us, first, last, interval_us=interval_us, least_us=pixel_us)


def _within(span: Span, parts: list[Span]) -> list[Span]:
    """What of the parts lies in the span."""
    cut = [(max(begin, span[0]), min(end, span[1])) for begin, end in parts]
    return [(begin, end) for begin, end in cut if begin <= end]


def _lanes(marks: list[Mark], span: Span, width: int, text: str) -> list[dict[str, Any]]:
    found = []
    for name in LANES:
        own = [one for one in marks if one.lane == name]
        if not own:
            continue
        chosen = [one for one in own if text in one.label.casefold()]
        items, binned = drawable(chosen, *span, bins=width)
        found.append({"name": name, "binned": binned, "items": [one.plain() for one in items]})
    return found


def _labels(marks: list[Mark]) -> Counter[str]:
    return labels_of(one for one in marks if one.lane in ("action", "episodes"))
