"""The records of one topic along time: which of them holds at a moment.

Messages in order of time in -> the one that is shown out. A map holds until the next one; of
overlapping windows the one whose middle is nearest. Keeps one record and looks one ahead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from pipeline.records.payloads import time_us
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True)
class Place:
    """A frame in time: event time in microseconds since the epoch, position, and pts in seconds."""

    time_us: int
    position: str
    pts_s: Fraction | None


@dataclass(frozen=True, slots=True)
class Held:
    """A record, and the moment from which it is shown."""

    from_us: int
    message: Message


class Track:
    """One topic. `at` is asked with times that never go back."""

    def __init__(self, records: Iterator[Held]) -> None:
        """Records by the moment they are shown from; those that go back in time are left out."""
        self._records = records
        self._now: Held | None = None
        self._next = next(records, None)

    def at(self, moment_us: int) -> Message | None:
        """The record that holds at this event time; None before the first one."""
        while self._next is not None and self._next.from_us <= moment_us:
            if self._now is None or self._next.from_us >= self._now.from_us:
                self._now = self._next
            self._next = next(self._records, None)
        return self._now.message if self._now else None


def held_maps(messages: Iterable[Message]) -> Iterator[Held]:
    """Maps are shown from their own frame on."""
    for message in messages:
        yield Held(time_us(message.headers["ce_time"]), message)


def held_windows(messages: Iterable[Message]) -> Iterator[Held]:
    """Windows are shown from half-way between their middle and the one before's."""
    before_us: int | None = None
    for message in messages:
        start_us, end_us = span_us(message)
        middle_us = (start_us + end_us) // 2
        yield Held(start_us if before_us is None else (before_us + middle_us) // 2, message)
        before_us = middle_us


def span_us(message: Message) -> tuple[int, int]:
    """Event times of a window's first and last frame."""
    said = json.loads(message.value)
    return time_us(said["start"]["time"]), time_us(said["end"]["time"])
