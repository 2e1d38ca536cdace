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
    """Counts records; of a bin's topics and variants that with the most tells its frames."""

    def __init__(self) -> None:
        self._names: FirstNames[str] = FirstNames(MOST)
        self._records: Bins[tuple[str, str, str]] = Bins()  # stream, topic, variant

    def wants(self, topic: str) -> bool:
        """Whether it reads it: operators' records."""
        return topic not in (*OF_EVERY_RUN, "labels")

    def see(self, record: StoredRecord) -> None:
        """Another record."""
        headers, topic = record.message.headers, record.message.topic
        stream, variant = headers["ce_streamid"], headers["ce_variant"]
        gone = self._names.add(stream)
        shown = stream if stream in self._names.shown else _OTHERS
        if gone is not None:
            for key in self._records.keys:
                if key[0] == gone:
                    self._records.rename(key, (_OTHERS, *key[1:]))
        self._records.add((shown, topic, variant), record.timestamp_us)

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
        counts = [self._records.values(key) for key in self._records.keys if key[0] == stream]
        frames = [max(row) for row in zip(*counts, strict=True)]
        rates = [count / width_s for count in frames]
        return Series(f"{name} ({sum(frames):,.0f} frames)", rates, colour)
