"""Which frame holds at a moment, and what is known of it.

Axis and time in -> JSON values out. A map holds until the next one; of windows of frames the one
that lies around the moment best.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from typing import Any

from operators.result import JSON
from pipeline.client.fault import FAULTS
from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.view.axes import OF_SPANS, Axes
from pipeline.view.series import Axis, Series, Shelf, session_of

WINDOWS = 64  # that may reach over one moment

HasFootage = Callable[[str, str], bool]
"""Stream and session -> whether its recording is at hand."""


class Moments:
    """Of all streams of a sink."""

    def __init__(self, shelf: Shelf, axes: Axes, has_footage: HasFootage) -> None:
        self._shelf = shelf
        self._axes = axes
        self._has_footage = has_footage

    def at(self, axis: Axis, moment_us: int, step: int = 0) -> dict[str, Any]:
        """The frame that began last at a moment, or the first of all.

        Args:
            axis: where.
            moment_us: event time.
            step: so many frames behind it, or before.

        Raises:
            NotThere: no such stream, or no frame on that axis.
        """
        frames = self._axes.frames(axis)
        first, last = frames.first_left(), len(frames) - 1
        number = min(max(frames.last_at(moment_us) + step, first), last)
        headers, at_us = frames.headers(number), frames.time_us(number)
        session, position = session_of(headers), frames.position(number)
        return {
            "time_us": at_us,
            "position": position,
            "session": session,
            "pts": headers.get("ce_pts"),
            "timebase": headers.get("ce_timebase"),
            "frame": self._picture(axis, at_us, session, position),
            "records": dict(self._records(axis, at_us, session)),
        }

    def _records(self, axis: Axis, at_us: int, session: str) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for topic in self._axes.topics_of(axis.stream):
            series = self._shelf.series(topic, axis)
            if topic == "action":
                number = self._window(series, at_us)
            elif topic in OF_SPANS or topic == "frames":
                continue
            else:
                number = series.last_at(at_us)
            if number >= 0 and session_of(series.headers(number)) == session:
                found.append((topic, self._said(series, number)))
        return found

    def _said(self, series: Series, number: int) -> dict[str, Any]:
        headers = series.headers(number)
        own = {"id": headers["ce_id"], "time_us": series.time_us(number)}
        said = own | {"position": series.position(number)}
        if headers.get("content-type") != JSON:
            return said
        (record,) = self._shelf.index.records([series.offsets[number]]) or (None,)
        return said | {"data": record and value_of(record)}

    def _window(self, series: Series, at_us: int) -> int:
        """Of those that reach over the moment the one whose middle is nearest; -1 for none."""
        first = series.first_at(at_us)  # windows are ordered by their ends
        some = range(first, min(first + WINDOWS, len(series)))
        numbers = {series.offsets[number]: number for number in some}
        best, nearest_us = -1, 0
        for record in self._shelf.index.records(list(numbers)):
            number, (start_us, end_us) = numbers[record.offset], span_us(record)
            away_us = abs(start_us + end_us - 2 * at_us)
            if start_us > at_us:
                break
            if best < 0 or away_us < nearest_us:
                best, nearest_us = number, away_us
        return best

    def _picture(
        self, axis: Axis, at_us: int, session: str, position: str
    ) -> dict[str, Any] | None:
        if self._has_footage(axis.stream, session):
            here = {"position": position, "time_us": at_us, "exact": True}
            return here | {"source": "footage"}
        series = self._shelf.series("frames", axis)
        number = series.last_at(at_us)
        if number < 0 or session_of(series.headers(number)) != session:
            return None
        own = series.position(number)
        when = {"position": own, "time_us": series.time_us(number), "exact": own == position}
        return when | {"source": "frames"}


def value_of(record: StoredRecord) -> Any:
    """Its JSON; None where somebody wrote something else into our topic, numbers that JSON has not
    among it."""
    with suppress(*FAULTS):
        value = record.message.value
        return json.loads(value, parse_constant=_finite, parse_float=_finite)
    return None


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


def span_us(record: StoredRecord) -> tuple[int, int]:
    """Event times of a window's first and last frame; of what is none, those of its own."""
    said = value_of(record)
    with suppress(*FAULTS):
        return time_us(said["start"]["time"]), time_us(said["end"]["time"])
    at_us = time_us(record.message.headers["ce_time"])
    return at_us, at_us
