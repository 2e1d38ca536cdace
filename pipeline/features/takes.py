"""Which frames of a recording stand for it: one of each shot, of a long shot one of each part.

Entries of one recording in order -> the frames that are taken, as soon as it is known that they
are. No more than three parts of a shot are in memory. Knows nothing of what is done with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from pipeline.stream.chunk import Entry, Frames, Shot


@dataclass(frozen=True, slots=True)
class Take:
    """One frame.

    Attributes:
        info: who it is.
        pixels: uint8 RGB `[H, W, 3]`.
    """

    info: FrameInfo
    pixels: NDArray[np.uint8]


class Takes:
    """Of one recording.

    Attributes:
        shots: that are over.
        unseen: those of them in which no frame was looked at.
    """

    def __init__(self, every_s: float) -> None:
        """
        Args:
            every_s: a shot is cut into parts of so many seconds of event time, from its first
                frame that is looked at on; the last one may be shorter.
        """
        self.shots = self.unseen = 0
        self._every_us = round(every_s * 1e6)
        self._waiting: list[Take] = []
        self._since_us: int | None = None  # first frame of the shot that goes on
        self._taken = False  # a frame of it

    def see(self, entry: Entry) -> list[Take]:
        """The next entry; the frames that are taken now: each is the one nearest to the middle of
        its part, of two that are as near the first."""
        if isinstance(entry, Frames):
            found = []
            for info, pixels in zip(entry.infos, entry.pixels, strict=True):
                found += self._add(Take(info, pixels.copy()))
            return found
        return self._close(entry) if isinstance(entry, Shot) else []

    def rest(self) -> list[Take]:
        """Nothing comes after this: what no shot has told of is one."""
        told, self._waiting = self._waiting, []
        self.shots += bool(told)
        return self._of_shot(told)

    def _add(self, take: Take) -> list[Take]:
        """A part is over when the next but one has begun: who decides on cuts is a few frames
        late."""
        self._begin(take)
        self._waiting.append(take)
        part = self._part(take)
        over = [one for one in self._waiting if self._part(one) <= part - 2]
        self._waiting = self._waiting[len(over) :]
        self._taken |= bool(over)
        return self._nearest(over, part)

    def _close(self, shot: Shot) -> list[Take]:
        last = shot.last
        own = [one for one in self._waiting if _is_within(one.info, last)]
        self._waiting = self._waiting[len(own) :]
        self.shots += 1
        self.unseen += not (own or self._taken)
        return self._of_shot(own)

    def _of_shot(self, own: list[Take]) -> list[Take]:
        """The rest of a shot; the next one begins."""
        found = self._nearest(own, self._part(own[-1])) if own else []
        self._since_us, self._taken = None, False
        for one in self._waiting:
            self._begin(one)
        return found

    def _begin(self, take: Take) -> None:
        if self._since_us is None:
            self._since_us = take.info.event_time_us

    def _part(self, take: Take) -> int:
        assert self._since_us is not None
        return (take.info.event_time_us - self._since_us) // self._every_us

    def _nearest(self, takes: list[Take], last: int) -> list[Take]:
        """Of each part one; `last` is the number of the one that may be shorter."""
        parts: dict[int, list[Take]] = {}
        for one in takes:
            parts.setdefault(self._part(one), []).append(one)
        found = []
        for number, own in parts.items():
            assert self._since_us is not None
            begin_us = self._since_us + number * self._every_us
            end_us = begin_us + self._every_us
            if number == last:
                end_us = own[-1].info.event_time_us
            twice_us = begin_us + end_us
            found.append(min(own, key=lambda one: abs(2 * one.info.event_time_us - twice_us)))
        return found


def _is_within(info: FrameInfo, last: FrameInfo) -> bool:
    return info.session == last.session and info.event_time_us <= last.event_time_us
