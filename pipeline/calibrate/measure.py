"""Depth records of a fixed camera and points of known distance -> its calibration.

Reads a sink as any consumer would. Knows nothing of the command line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from operators.depth.calibration import View
from operators.errors import UsageError
from operators.learn.calibration import Calibrated, fit_calibration
from pipeline.calibrate.store import StoredCalibration
from pipeline.records.filter import Filter
from pipeline.records.newest import Latest
from pipeline.records.payloads import depth_map, time_us
from pipeline.records.record import Message
from pipeline.sinks.sink import Reader
from pipeline.sinks.uri import open_reader

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is stored, how far it is off, and when the record was that it was made from."""

    stored: StoredCalibration
    fitted: Calibrated
    time: str


def calibrate(sink: str, stream: str, points: Sequence[Point], *, time_s: float | None) -> Outcome:
    """Calibrate a stream by one of its records.

    Args:
        sink: URI of the sink.
        stream: stream id.
        points: x, y in pixels of the source as displayed, metres.
        time_s: of the record, seconds since the stream's first; None: the newest.

    Raises:
        UsageError: no such records, a point outside, or points that make no line.
        SinkError: the sink cannot be read.
    """
    message = newest_record(sink, stream, time_s)
    headers = message.headers
    shown, view = depth_map(message).values, view_of(message)
    values = [_value(shown, (x, y), view.source_hw) for x, y, _ in points]
    fitted = fit_calibration(headers["ce_depthkind"], values, [metres for _, _, metres in points])
    stored = StoredCalibration(
        replace(fitted.calibration, view=view),
        headers["ce_model"],
        domain_of(headers),
        tuple(points),
    )
    return Outcome(stored, fitted, headers["ce_time"])


def view_of(message: Message) -> View:
    """What of its camera a depth record shows."""
    headers = message.headers
    source_hw = (int(headers["ce_sourceheight"]), int(headers["ce_sourcewidth"]))
    return View(source_hw, _region(headers), depth_map(message).values.shape)


def domain_of(headers: Mapping[str, str]) -> str:
    """What the head of a depth record is, as `StoredCalibration.domain` has it."""
    return headers.get("ce_depthhead") or headers.get("ce_depthdomain", "")


def _region(headers: Mapping[str, str]) -> tuple[int, int, int, int] | None:
    if "ce_region" not in headers:
        return None
    left, top, right, bottom = map(int, headers["ce_region"].split(","))
    return left, top, right, bottom


def newest_record(sink: str, stream: str, time_s: float | None) -> Message:
    """The depth record nearest to the time, of the session and variant that were published last.

    Raises:
        UsageError: no such records.
        SinkError: the sink cannot be read.
    """
    first_us: int | None = None
    best: tuple[float, Message] | None = None
    reader = open_reader(sink)
    try:
        origins: Latest[str, Filter, None] = Latest()
        for message in _uncalibrated(reader, Filter((stream,))):
            origins.of(stream, _origin(message), lambda: None)
        newest = origins.versions(stream)[-1:]
        for message in _uncalibrated(reader, newest[0]) if newest else ():
            moment_us = time_us(message.headers["ce_time"])
            first_us = moment_us if first_us is None else first_us
            off = 0.0 if time_s is None else abs((moment_us - first_us) / 1e6 - time_s)
            if best is None or off <= best[0]:
                best = (off, message)
    finally:
        reader.close()
    if best is None:
        raise UsageError(
            f"no depth record of stream {stream} that is not calibrated already lies in that "
            "sink; replay or run the stream without calibrations first"
        )
    return best[1]


def _uncalibrated(reader: Reader, where: Filter) -> Iterator[Message]:
    """Depth maps; those that were calibrated already do not count."""
    for record in reader.records(["depth"], where=where):
        if record.message.headers.get("ce_depthcalibrated") != "true":
            yield record.message


def _origin(message: Message) -> Filter:
    """Stream, session and variant of a record."""
    headers = message.headers
    return Filter((headers["ce_streamid"],), headers["ce_session"], headers["ce_variant"])


def _value(
    values: NDArray[np.float32], xy: tuple[float, float], source_hw: tuple[int, int]
) -> float:
    """The map at a pixel of the source, bilinear between the middles of its cells."""
    if not (0 <= xy[0] < source_hw[1] and 0 <= xy[1] < source_hw[0]):
        raise UsageError(
            f"the point {xy[0]:g},{xy[1]:g} lies outside of the picture, which is "
            f"{source_hw[1]}x{source_hw[0]}"
        )
    height, width = values.shape
    x = _within((xy[0] + 0.5) * width / source_hw[1] - 0.5, width)
    y = _within((xy[1] + 0.5) * height / source_hw[0] - 0.5, height)
    left, top = int(x), int(y)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    upper = values[top, left] * (left + 1 - x) + values[top, right] * (x - left)
    lower = values[bottom, left] * (left + 1 - x) + values[bottom, right] * (x - left)
    value = float(upper * (top + 1 - y) + lower * (y - top))
    if not math.isfinite(value):
        raise UsageError(f"the record knows no depth at {xy[0]:g},{xy[1]:g}; choose another point")
    return value


def _within(place: float, size: int) -> float:
    return min(max(place, 0.0), size - 1.0)
