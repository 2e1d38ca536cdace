"""How long frames took until they were decoded, and from there until they were published. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from pipeline.drawing.palette import CLASS_COLOURS
from pipeline.engine.histogram import BOUNDS_S, Histogram
from pipeline.plot.bins import Bins
from pipeline.plot.over_time import OverTime, Series
from pipeline.plot.panel import Panel
from pipeline.plot.statement import Statement
from pipeline.plot.time_axis import width_text
from pipeline.records.age import age
from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.records.topics import OF_EVERY_RUN

_TITLE = "Latency by stage"
_CAPTURED, _DECODED = "capture to decoded", "decoded to published"
_PARTS = ((0.5, "median"), (0.95, "95th percentile"))
_COLOURS = {_CAPTURED: CLASS_COLOURS[1], _DECODED: CLASS_COLOURS[0]}


class Latency:
    """Counts durations in the classes that a job's own metrics have."""

    def __init__(self) -> None:
        self._records: Bins[tuple[str, int]] = Bins()  # stage, class of duration
        self._seen = 0
        self._unknown = 0

    def wants(self, topic: str) -> bool:
        """Whether it reads it: what tells of a frame or a window at once."""
        return topic not in (*OF_EVERY_RUN, "labels") and not topic.endswith(".episodes")

    def see(self, record: StoredRecord) -> None:
        """Another record."""
        decoded_us = time_us(record.message.headers["ce_ingesttime"])
        decoded_s = (record.timestamp_us - decoded_us) / 1e6
        self._seen += 1
        self._add(_DECODED, record, decoded_s)
        known = age(record, record.timestamp_us)
        if known is None:
            self._unknown += 1
        else:
            self._add(_CAPTURED, record, known.published_s - decoded_s)

    def panels(self) -> list[Panel]:
        """What it has found."""
        span = self._records.span
        if span is None:
            return [Statement(_TITLE, "No operator has published a record.")]
        stages = [stage for stage in (_CAPTURED, _DECODED) if self._of(stage)]
        series = [line for stage in stages for line in self._lines(stage, span.count)]
        unit = f"seconds, by when they were published, in bins of {width_text(span.width_s)}"
        return [OverTime(_TITLE, unit, span, series, notes=self._notes())]

    def _add(self, stage: str, record: StoredRecord, seconds: float) -> None:
        self._records.add((stage, bisect_left(BOUNDS_S, seconds)), record.timestamp_us)

    def _of(self, stage: str) -> list[tuple[str, int]]:
        return [key for key in self._records if key[0] == stage]

    def _lines(self, stage: str, bins: int) -> Iterator[Series]:
        histograms = [Histogram() for _ in range(bins)]
        for key in self._of(stage):
            for histogram, count in zip(histograms, self._records.values(key), strict=True):
                histogram.counts[key[1]] += round(count)
        for part, name in _PARTS:
            values = [one.quantile(part) for one in histograms]
            yield Series(f"{stage}, {name}", values, _COLOURS[stage], dashed=part != 0.5)

    def _notes(self) -> list[str]:
        notes = ["Solid: the median. Dashed: 95 of 100 records took no longer."]
        if self._unknown:
            many = "all" if self._unknown == self._seen else f"{self._unknown:,} of {self._seen:,}"
            notes.append(
                f"Capture is unknown of {many} records: no camera's wall clock was there, as of "
                "recordings."
            )
        return notes
