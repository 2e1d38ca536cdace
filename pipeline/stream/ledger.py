"""What became of every sampled frame of a stream, per operator.

Pure. sampled = published + covered + unchanged + silent + deadletter once all is committed, and
while a stream runs the frames that wait beside them; frames dropped before any operator saw them
are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from operators.frames import FrameInfo
from operators.result import Result
from pipeline.stream.chunk import CAUSES

DROPPED = tuple(f"dropped_{cause}" for cause in CAUSES)
SETTLED = ("published", "covered", "unchanged", "silent", "deadletter")
COUNTERS = ("sampled", *SETTLED, "dropped", *DROPPED)
MOST_WAITING = 1024  # frames of an operator; progress carries them

Waiting = Mapping[str, Sequence[tuple[str, int]]]
"""Operator -> position and event time of every frame that it took and of which no record tells yet,
in order."""


class Ledger:
    """Counters of one stream.

    `published`: the frame has a record of its own. `covered`: it lies in a span of which a record
    tells. `unchanged`: it repeats a frame that has one. `silent`: no record tells of it, because
    the operator had nothing to say, or gave up its memory when it failed. `deadletter`: the
    operator failed on it, or its record was too large for the sink. `dropped`: the operator was not
    given it, and why: `dropped_full`, `dropped_late`, ... (`pipeline.stream.chunk.CAUSES`); nobody
    was, or this operator alone.
    """

    def __init__(
        self, counts: Mapping[str, Mapping[str, int]] | None = None, waiting: Waiting | None = None
    ) -> None:
        self._counts = {name: dict(row) for name, row in (counts or {}).items()}
        self._waiting = {
            name: {position: time_us for position, time_us in rows}
            for name, rows in (waiting or {}).items()
        }

    def add(self, operator: str, counter: str, frames: int) -> None:
        """Count `frames` more; nothing is written for none."""
        assert counter in COUNTERS
        if frames:
            row = self._counts.setdefault(operator, {})
            row[counter] = row.get(counter, 0) + frames

    def took(self, operator: str, infos: Iterable[FrameInfo]) -> None:
        """An operator has these frames; what becomes of them its records say, or `settle`.

        Who waits behind MOST_WAITING younger ones is silent.
        """
        rows = self._waiting.setdefault(operator, {})
        rows.update((info.position, info.event_time_us) for info in infos)
        for position in list(rows)[: max(0, len(rows) - MOST_WAITING)]:
            del rows[position]
            self.add(operator, "silent", 1)

    def told(self, operator: str, results: Iterable[Result]) -> None:
        """Records of an operator: a frame that waits and has one is published, one in a span
        covered."""
        rows = self._waiting.get(operator, {})
        spans, published = [], 0
        for result in results:
            if result.start is not None:
                spans.append((result.start.event_time_us, result.info.event_time_us))
            elif rows.pop(result.info.position, None) is not None:
                published += 1
        self.add(operator, "published", published)
        for first_us, last_us in spans:
            inside = [name for name, time_us in rows.items() if first_us <= time_us <= last_us]
            self.add(operator, "covered", len(inside))
            for name in inside:
                del rows[name]

    def repeated(self, operator: str, position: str) -> bool:
        """A frame that waits is unchanged; whether it waited still."""
        if self._waiting.get(operator, {}).pop(position, None) is None:
            return False
        self.add(operator, "unchanged", 1)
        return True

    def bury(self, operator: str) -> None:
        """A record that was told turned out to be too large for the sink: one frame, that of its
        position, is a dead letter after all."""
        row = self._counts.setdefault(operator, {})
        for counter in ("published", "covered"):
            if row.get(counter):
                row[counter] -= 1
                self._counts[operator] = {name: frames for name, frames in row.items() if frames}
                self.add(operator, "deadletter", 1)
                return

    def settle(self, operator: str) -> None:
        """Nothing more will be said of the frames that wait."""
        self.add(operator, "silent", len(self._waiting.pop(operator, {})))

    def counts(self) -> dict[str, dict[str, int]]:
        """A copy: operator -> counter -> frames."""
        return {name: dict(row) for name, row in self._counts.items()}

    def waiting(self) -> dict[str, list[tuple[str, int]]]:
        """A copy, of operators that have any."""
        return {name: list(rows.items()) for name, rows in self._waiting.items() if rows}
