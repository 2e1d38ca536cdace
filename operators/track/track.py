"""One thing over time, and all that is remembered of it; as JSON too, exactly."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from operators.moment import where_and_when
from operators.track.motion import Box, Motion
from operators.track.sightings import Sighting

RENEWED = 0.25  # share of a new look that is believed
_STEPS = 127  # a look is remembered in whole numbers of a byte


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where in its session a frame is: event time in microseconds, and position."""

    time_us: int
    position: str

    @classmethod
    def of(cls, info: FrameInfo) -> Self:
        """Of a frame."""
        return cls(info.event_time_us, info.position)

    @property
    def place(self) -> dict[str, str]:
        """As values of records name it."""
        return where_and_when(self.position, self.time_us)

    def to_json(self) -> list[Any]:
        """As JSON values, in the order of the attributes."""
        return [self.time_us, self.position]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """
    Attributes:
        id: 1, 2, 3, ... of its stream and session; 0: it was not seen often enough to have one.
        start: when it was seen first.
        last: when it was seen last.
        box: of that detection: left, top, right, bottom in pixels.
        score: of that detection.
        motion: where it was then, as far as all detections tell.
        votes: label -> sum of the scores of detections that said so.
        look: int8 `[D]`, in any length.
        sightings: so many detections.
        sides: line -> the side of it where the track was last, and where that was, pixels.
        visits: zone that it is in -> the first frame in which it was there.
    """

    id: int
    start: Moment
    last: Moment
    box: Box
    score: float
    motion: Motion
    votes: Mapping[int, float]
    look: NDArray[np.int8]
    sightings: int = 1
    sides: Mapping[str, tuple[int, float, float]] = field(default_factory=dict)
    visits: Mapping[str, FrameInfo] = field(default_factory=dict)

    @property
    def label(self) -> int:
        """What most detections said, by their scores."""
        return max(self.votes, key=lambda label: (self.votes[label], -label))

    def seen(self, now: Moment, expected: Motion, sighting: Sighting) -> Track:
        """The same, after another detection, which was expected there."""
        box, score, label, look = sighting
        return replace(
            self,
            last=now,
            box=box,
            motion=expected.seen(box),
            score=score,
            votes={**self.votes, label: self.votes.get(label, 0.0) + score},
            look=remembered(_length_1(self.look) * (1 - RENEWED) + look * RENEWED),
            sightings=self.sightings + 1,
        )

    def again(self, now: Moment) -> Track:
        """The same, in a frame that shows what the one did in which it was seen last."""
        expected = self.motion.after((now.time_us - self.last.time_us) / 1e6)
        motion = expected.seen(self.box)
        return replace(self, last=now, motion=motion, sightings=self.sightings + 1)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        motion = self.motion
        return {
            "id": self.id,
            "start": self.start.to_json(),
            "last": self.last.to_json(),
            "box": list(self.box),
            "place": [motion.x, motion.y],
            "size": [motion.width, motion.height],
            "velocity": [motion.vx, motion.vy],
            "spread": list(motion.spread),
            "score": self.score,
            "votes": [[label, votes] for label, votes in self.votes.items()],
            "look": base64.b64encode(self.look.tobytes()).decode(),
            "sightings": self.sightings,
            "sides": {line: list(side) for line, side in self.sides.items()},
            "visits": {zone: start.to_json() for zone, start in self.visits.items()},
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        (x, y), (vx, vy), (width, height) = said["place"], said["velocity"], said["size"]
        left, top, right, bottom = said["box"]
        place, both, speed = said["spread"]
        return cls(
            id=said["id"],
            start=Moment(*said["start"]),
            last=Moment(*said["last"]),
            box=(left, top, right, bottom),
            score=said["score"],
            motion=Motion(x, y, vx, vy, width, height, (place, both, speed)),
            votes=dict(said["votes"]),
            look=np.frombuffer(base64.b64decode(said["look"]), dtype=np.int8),
            sightings=said["sightings"],
            sides={line: (side, x, y) for line, (side, x, y) in said["sides"].items()},
            visits={zone: FrameInfo.from_json(one) for zone, one in said["visits"].items()},
        )


def remembered(look: NDArray[np.float32]) -> NDArray[np.int8]:
    """A look as it is kept: its direction, in whole numbers."""
    most = np.abs(look).max(initial=0.0)
    return np.rint(look * (_STEPS / most if most else 0.0)).astype(np.int8)


def _length_1(look: NDArray[np.int8]) -> NDArray[np.float32]:
    numbers = look.astype(np.float32)
    return numbers / np.float32(max(np.sqrt((numbers**2).sum()), 1e-9))


def first_seen(now: Moment, sighting: Sighting) -> Track:
    """What nothing was known of before."""
    box, score, label, look = sighting
    motion = Motion.of_box(box)
    return Track(0, now, now, box, score, motion, {label: score}, remembered(look))
