"""Frames per second of every stream, by when their records were published. Pure."""

from __future__ import annotations

from pipeline.drawing.palette import CLASS_COLOURS, NOTHING, RGB
from pipeline.plot.bins import Bins
from pipeline.plot.first_names import FirstNames
from pipeline.plot.over_time import OverTime, Series
from pipeline.plot.panel import Panel
from pipeline.plot.statement import Statement
from pipeline.plot.time_axis import width_text
from pipeline.records.record import StoredRecord
from pipeline.records.topics import OF_EVERY_RUN

MOST = 8  # lines
_TITLE = "Throughput"
_OTHERS = ""  # no stream has this name


class Throughput:
    """Counts records; of a stream's topics the one that has most has a record of every frame."""

    def __init__(self) -> None:
        self._names: FirstNames[str] = FirstNames(MOST)
        self._records: Bins[tuple[str, str]] = Bins()  # stream, topic

    def wants(self, topic: str) -> bool:
        """Whether it reads it: operators' records."""
        return topic not in (*OF_EVERY_RUN, "labels")

    def see(self, record: StoredRecord) -> None:
        """Another record."""
        stream, topic = record.message.headers["ce_streamid"], record.message.topic
        gone = self._names.add(stream)
        shown = stream if stream in self._names.shown else _OTHERS
        if gone is not None:
            for key in self._records:
                if key[0] == gone:
                    self._records.rename(key, (_OTHERS, key[1]))
        self._records.add((shown, topic), record.timestamp_us)

    def panels(self) -> list[Panel]:
        """What it has found."""
        span = self._records.span
        if span is None:
            return [Statement(_TITLE, "No operator has published a record.")]
        series = [
            self._line(name, name, CLASS_COLOURS[number], span.width_s)
            for number, name in enumerate(self._names.shown)
        ]
        if others := self._names.others:
            series.append(self._line(_OTHERS, f"{others} more streams", NOTHING, span.width_s))
        unit = (
            f"frames per second, by when they were published, in bins of {width_text(span.width_s)}"
        )
        return [OverTime(_TITLE, unit, span, series, stacked=True)]

    def _line(self, stream: str, name: str, colour: RGB, width_s: int) -> Series:
        own = [key for key in self._records if key[0] == stream]
        frames = self._records.values(max(own, key=self._records.total))
        rates = [count / width_s for count in frames]
        least = "at least " if stream == _OTHERS else ""  # they may have different operators
        return Series(f"{name} ({least}{sum(frames):,.0f} frames)", rates, colour)
