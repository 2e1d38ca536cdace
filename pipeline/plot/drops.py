"""Frames that were lost, by cause and by when that was noticed: what events tell. Pure."""

from __future__ import annotations

import json

from pipeline.drawing.palette import CLASS_COLOURS, NOTHING
from pipeline.plot.bins import MOST_FRAMES, Bins
from pipeline.plot.over_time import OverTime, Series
from pipeline.plot.panel import Panel
from pipeline.plot.statement import Statement
from pipeline.plot.time_axis import width_text
from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.records.topics import EVENTS
from pipeline.stream.chunk import CAUSES

_TITLE = "Frames dropped and lost"
_LOST = "lost by a fault"
_UNKNOWN = "cause unknown"
_KINDS = (*CAUSES, _LOST, _UNKNOWN)


class Drops:
    """Sums frames by cause."""

    def __init__(self) -> None:
        self._frames: Bins[str] = Bins()

    def wants(self, topic: str) -> bool:
        """Whether it reads it."""
        return topic == EVENTS

    def see(self, record: StoredRecord) -> None:
        """Another record."""
        said = json.loads(record.message.value)
        if said["kind"] == "ended":
            return  # what it says is lost, the faults before have told
        noticed_us = time_us(record.message.headers["ce_ingesttime"])
        cause = said.get("cause")
        counts = {cause if cause in CAUSES else _UNKNOWN: said.get("dropped", 0)}
        for kind, frames in (counts | {_LOST: said.get("lost", 0)}).items():
            if not 0 <= frames < MOST_FRAMES:
                raise ValueError(f"frames are a number from 0 on, got {frames}")
            if frames:
                self._frames.add(kind, noticed_us, frames)

    def panels(self) -> list[Panel]:
        """What it has found."""
        span = self._frames.span
        if span is None:
            return [Statement(_TITLE, "No event tells of a frame that was dropped or lost.")]
        colours = dict(zip(_KINDS, (*CLASS_COLOURS, NOTHING), strict=False))
        series = [
            Series(
                f"{kind} ({self._frames.total(kind):,.0f})",
                self._frames.values(kind),
                colours[kind],
            )
            for kind in _KINDS
            if self._frames.total(kind)
        ]
        unit = f"frames, when it was noticed, in bins of {width_text(span.width_s)}"
        return [OverTime(_TITLE, unit, span, series, stacked=True)]
