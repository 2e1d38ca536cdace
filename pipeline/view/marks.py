"""What a record marks on a line of time: an action, an episode, an event, drops, a dead letter.

Records in -> marks by lane out, and marks -> few enough of them to be drawn. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pipeline.client.fault import FAULTS
from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.view.moments import value_of

MOST_DRAWN = 2000  # of a lane; where there are more, they are counted in bins
TOLD_CHARS = 200  # of a detail


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Attributes:
        lane: where it is drawn.
        from_us, to_us: event times.
        label: what it is called.
        count: how many it stands for: frames that were dropped, or marks of one bin.
        score: of an action, 0 to 1.
        topic, id: the record, or the first of them.
        detail: for a person.
    """

    lane: str
    from_us: int
    to_us: int
    label: str
    topic: str
    id: str
    count: int = 1
    score: float | None = None
    detail: str = ""

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "from_us": self.from_us,
            "to_us": self.to_us,
            "label": self.label,
            "score": self.score,
            "count": self.count,
            "topic": self.topic,
            "id": self.id,
            "detail": self.detail,
        }


When = Callable[[StoredRecord], int]
"""A record that names a frame without its time -> that time."""


def mark_of(record: StoredRecord, when: When) -> Mark | None:
    """None of a record that marks nothing, as of a window without a label; nor of one that somebody
    else has written into our topic."""
    said = value_of(record)
    with suppress(*FAULTS):
        return _MARKS[record.message.topic](record, said, when)
    return None


def drawable(
    marks: Sequence[Mark], from_us: int, to_us: int, *, bins: int
) -> tuple[list[Mark], bool]:
    """Those that reach into a span of time, in order; whether they stand for more than themselves.

    Args:
        marks: of one lane, in order of their beginnings.
        from_us, to_us: the span.
        bins: into how many parts it is cut where there are too many.
    """
    found = [one for one in marks if one.to_us >= from_us and one.from_us <= to_us]
    if len(found) <= MOST_DRAWN:
        return found, False
    return _binned(found, max(1, (to_us - from_us) // bins)), True


def _binned(marks: Iterable[Mark], bin_us: int) -> list[Mark]:
    """Of each bin and label one, which reaches on while bins follow that have it too."""
    found: list[Mark] = []
    open_ones: dict[str, int] = {}  # label -> number of its last one
    for one in marks:
        number = open_ones.get(one.label)
        if number is not None and one.from_us - found[number].to_us <= bin_us:
            before = found[number]
            to_us, count = max(before.to_us, one.to_us), before.count + one.count
            score = _greater(before.score, one.score)
            found[number] = replace(before, to_us=to_us, count=count, score=score)
        else:
            open_ones[one.label] = len(found)
            found.append(one)
    return found


def _greater(one: float | None, other: float | None) -> float | None:
    return one if other is None or (one is not None and one >= other) else other


def labels_of(marks: Iterable[Mark]) -> Counter[str]:
    """How often each label is there."""
    counts: Counter[str] = Counter()
    for one in marks:
        counts[one.label] += 1
    return counts


def _action(record: StoredRecord, said: Any, _: When) -> Mark | None:
    if not said["labels"]:
        return None
    best = said["labels"][0]
    span = time_us(said["start"]["time"]), time_us(said["end"]["time"])
    return _mark("action", span, best["name"], record, score=best["score"])


def _episode(record: StoredRecord, said: Any, _: When) -> Mark:
    span = time_us(said["start"]["time"]), time_us(said["end"]["time"])
    return _mark("episodes", span, said["label"]["name"], record, score=said["peak"]["score"])


def _tamper(record: StoredRecord, said: Any, _: When) -> Mark:
    span = time_us(said["start"]["time"]), time_us(said["end"]["time"])
    strength, outcome = said["peak"]["strength"], said["outcome"]
    return _mark("events", span, said["kind"], record, score=strength, detail=outcome)


def _event(record: StoredRecord, said: Any, when: When) -> Mark:
    at_us, kind = when(record), said["kind"]
    lost = said.get("dropped") or (said.get("lost") if kind != "ended" else 0) or 0
    told = said.get("detail") or said.get("cause") or said.get("outcome") or ""
    lane = "drops" if lost else "events"
    return replace(_mark(lane, (at_us, at_us), kind, record, detail=told), count=lost or 1)


def _dead_letter(record: StoredRecord, said: Any, when: When) -> Mark:
    text = record.message.headers.get("ce_time")
    at_us = time_us(text) if text else when(record)
    label = f"{said['operator']}: {said['error']}"
    return _mark("dead letters", (at_us, at_us), label, record, detail=said["detail"])


def _mark(
    lane: str,
    span: tuple[int, int],
    label: Any,
    record: StoredRecord,
    *,
    score: Any = None,
    detail: Any = "",
) -> Mark:
    message = record.message
    told = str(detail)[:TOLD_CHARS]
    score = None if score is None else float(score)
    return Mark(lane, *span, str(label), message.topic, message.id, score=score, detail=told)


_MARKS: Mapping[str, Callable[[StoredRecord, Any, When], Mark | None]] = {
    "action": _action,
    "action.episodes": _episode,
    "tamper.episodes": _tamper,
    "events": _event,
    "deadletter": _dead_letter,
}
LANES = ("episodes", "action", "events", "drops", "dead letters")
TOPICS = tuple(_MARKS)
