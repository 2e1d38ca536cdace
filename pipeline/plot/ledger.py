"""What became of every sampled frame, per operator: the newest ledger of every job. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from pipeline.drawing.palette import CLASS_COLOURS, NOTHING, RGB
from pipeline.plot.bars import Bar, Bars, Part
from pipeline.plot.bins import MOST_FRAMES
from pipeline.plot.panel import Panel
from pipeline.plot.statement import Statement
from pipeline.records.record import StoredRecord
from pipeline.records.topics import EVENTS, MANIFEST
from pipeline.stream.ledger import SETTLED

_TITLE = "Ledger"
_WAITING = "waiting"
_COLOURS: Mapping[str, RGB] = {
    "published": CLASS_COLOURS[4],
    "covered": CLASS_COLOURS[0],
    "unchanged": CLASS_COLOURS[3],
    "silent": NOTHING,
    _WAITING: CLASS_COLOURS[2],
    "deadletter": CLASS_COLOURS[1],
    "dropped": CLASS_COLOURS[5],
}
Counts = Mapping[str, Mapping[str, int]]  # operator -> counter -> frames


class Ledgers:
    """Keeps the newest of every stream's job. Counts only grow, so that is the largest."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], Counts] = {}

    def wants(self, topic: str) -> bool:
        """Whether it reads it."""
        return topic in (EVENTS, MANIFEST)

    def see(self, record: StoredRecord) -> None:
        """Another record."""
        said = json.loads(record.message.value)
        if "operators" not in said:
            return  # an event of another kind
        counts = {operator: _checked(row) for operator, row in said["operators"].items()}
        key = (said["stream"], record.message.headers["ce_variant"])
        if _arrived(counts) >= _arrived(self._newest.get(key, {})):
            self._newest[key] = counts

    def panels(self) -> list[Panel]:
        """What it has found."""
        totals: dict[str, Counter[str]] = {}
        for counts in self._newest.values():
            for operator, row in counts.items():
                totals.setdefault(operator, Counter()).update(row)
        if not totals:
            why = "Unknown: neither a manifest nor the end of a stream is there."
            return [Statement(_TITLE, why)]
        rows = [_row(operator, totals[operator]) for operator in sorted(totals)]
        there = {part.name.rpartition(" ")[0] for row in rows for part in row.parts if part.value}
        legend = [(name, rgb) for name, rgb in _COLOURS.items() if name in there]
        jobs = (
            f"Of {len(self._newest)} jobs of streams, from their beginning to the newest manifest."
        )
        return [Bars(_TITLE, "sampled frames, by operator", rows, legend, [jobs])]


def _row(operator: str, counts: Counter[str]) -> Bar:
    settled = sum(counts[name] for name in SETTLED)
    frames = {**counts, _WAITING: max(counts["sampled"] - settled, 0)}
    parts = [
        Part(frames.get(name, 0), rgb, f"{name} {frames.get(name, 0)}")
        for name, rgb in _COLOURS.items()
    ]
    return Bar(operator, parts, f"{counts['sampled'] + counts['dropped']:,}")


def _checked(row: Mapping[str, int]) -> dict[str, int]:
    if not all(0 <= frames < MOST_FRAMES for frames in row.values()):
        raise ValueError(f"frames are a number from 0 on, got {row}")
    return {counter: int(frames) for counter, frames in row.items()}


def _arrived(counts: Counts) -> int:
    return sum(row.get("sampled", 0) + row.get("dropped", 0) for row in counts.values())
