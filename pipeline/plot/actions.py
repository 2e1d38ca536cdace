"""For how long each action was seen: the episodes' lengths. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from operator import itemgetter

from pipeline.drawing.palette import CLASS_COLOURS
from pipeline.drawing.warning import warning_text
from pipeline.plot.bars import Bar, Bars, Part
from pipeline.plot.panel import Panel
from pipeline.records.record import StoredRecord

MOST = 9  # rows
TOPIC = "action.episodes"


class Actions:
    """Sums seconds by label, and by variant: two heads may call two things by one name."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], float] = {}
        self._untrained = False
        self._out_of_domain = False

    def wants(self, topic: str) -> bool:
        """Whether it reads it."""
        return topic == TOPIC

    def see(self, record: StoredRecord) -> None:
        """Another record."""
        headers, said = record.message.headers, json.loads(record.message.value)
        begin, end = (datetime.fromisoformat(said[at]["time"]) for at in ("start", "end"))
        lasted_s = (end - begin).total_seconds()
        if lasted_s < 0:
            raise ValueError(f"an episode ends behind its beginning, got {lasted_s} s")
        name = said["label"]["name"]
        if not isinstance(name, str):
            raise TypeError(f"a label's name is text, got {name!r}")
        key = (name, headers["ce_variant"])
        self._seconds[key] = self._seconds.get(key, 0.0) + lasted_s
        self._untrained |= "ce_untrained" in headers
        self._out_of_domain |= "ce_outofdomain" in headers

    def panels(self) -> list[Panel]:
        """What it has found; none where nobody said what was done."""
        if not self._seconds:
            return []
        ranked = sorted(self._seconds.items(), key=lambda row: (-row[1], row[0]))
        names = [name for name, _ in self._seconds]
        rows = [
            Bar(
                name if names.count(name) == 1 else f"{name}, {variant}",
                [Part(seconds, CLASS_COLOURS[0])],
                f"{seconds:,.1f} s",
            )
            for (name, variant), seconds in ranked[:MOST]
        ]
        notes = ["Episodes that are over, from their first frame to their last."]
        if rest := ranked[MOST:]:
            lasted_s = sum(map(itemgetter(1), rest))
            notes.append(f"{len(rest)} more actions took {lasted_s:,.1f} s.")
        warning = warning_text(untrained=self._untrained, out_of_domain=self._out_of_domain)
        unit = "seconds of event time, of all streams together"
        return [Bars("Actions", unit, rows, notes=notes, warning=warning)]
