"""Shares of classes in the pictures of one series, over event time. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.drawing.palette import NOTHING, RGB, class_colours
from pipeline.drawing.warning import warning_text
from pipeline.plot.bins import Bins
from pipeline.plot.over_time import OverTime, Series
from pipeline.plot.time_axis import Along, width_text
from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord

_FRAMES = ""  # beside the names of classes, which are not empty


class Shares:
    """Sums of shares, and of frames."""

    def __init__(self) -> None:
        self._sums: Bins[str] = Bins()
        self._along: Along = "moments"
        self._untrained = False
        self._out_of_domain = False

    def add(self, record: StoredRecord) -> None:
        """A frame's summary.

        Raises:
            ValueError, LookupError, TypeError: it is none.
        """
        headers, said = record.message.headers, json.loads(record.message.value)
        at_us, clock = time_us(headers["ce_time"]), headers["ce_clock"]
        shares = [(one["name"], one["share"]) for one in said["classes"]]
        if not all(isinstance(name, str) and name and 0 <= one <= 1 for name, one in shares):
            raise ValueError(f"a class has a name and a share from 0 to 1, got {shares}")
        self._sums.add(_FRAMES, at_us)
        for name, share in shares:
            self._sums.add(name, at_us, share)
        self._along = "recording" if clock == "media" else "moments"
        self._untrained |= "ce_untrained" in headers
        self._out_of_domain |= "ce_outofdomain" in headers

    def panel(self, title: str) -> OverTime | None:
        """Areas of the most frequent classes, and of the others together; None without a frame."""
        span = self._sums.span
        if span is None:
            return None
        totals = {name: self._sums.total(name) for name in self._sums if name != _FRAMES}
        ranked = sorted(totals, key=lambda name: (-totals[name], name))
        colours = class_colours(ranked)
        series = [self._area(name, [name], rgb) for name, rgb in colours.items()]
        if rest := ranked[len(colours) :]:
            name = f"{len(rest)} others" if len(rest) > 1 else rest[0]
            series.append(self._area(name, rest, NOTHING))
        unit = f"mean share of the picture, in bins of {width_text(span.width_s)}"
        warning = warning_text(untrained=self._untrained, out_of_domain=self._out_of_domain)
        return OverTime(
            title, unit, span, series, self._along, stacked=True, top=1, warning=warning
        )

    def _area(self, name: str, classes: Sequence[str], colour: RGB) -> Series:
        frames = self._sums.values(_FRAMES)
        sums = [sum(row) for row in zip(*map(self._sums.values, classes), strict=True)]
        means = [
            total / count if count else None for total, count in zip(sums, frames, strict=True)
        ]
        return Series(f"{name} {_percent(sum(sums) / sum(frames))}", means, colour)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "<1%"
