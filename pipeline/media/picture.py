"""One decoded frame before scaling, and what a reel of them promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av

from pipeline.media.orientation import Orientation, orientation_of
from pipeline.media.region import Box

Mark = list[int | None]
"""Packets read so far, and dts, pts and place in the file of the last: JSON values."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame. Valid for as long as one likes; holds the full-size planes.

    Attributes:
        draw: gives the frame; a scene renders it only here, and most are never sampled.
        pts: as the container says, ticks of the reel's time base, or None.
        duration: ticks, or None.
        keyframe: decodable by itself.
        orientation: how it has to be turned to be shown.
        stored_hw: height and width before that, where they are not the frame's.
        preparation: what was done to it (`pipeline.media.preparation`, `crop`); empty: nothing.
        region: where it lies in the picture that it was cut from, as displayed; None: it is whole.
        whole_hw: height and width of that one, as displayed.
    """

    draw: Callable[[], av.VideoFrame]
    pts: int | None
    duration: int | None
    keyframe: bool
    orientation: Orientation
    stored_hw: tuple[int, int] | None = None
    preparation: str = ""
    region: Box | None = None
    whole_hw: tuple[int, int] | None = None

    @classmethod
    def of(cls, frame: av.VideoFrame, duration: int | None = None) -> Picture:
        """A frame as it left the decoder; `duration`, ticks, where it has none of its own."""
        return cls(
            lambda: frame,
            frame.pts,
            frame.duration or duration,
            frame.key_frame,
            orientation_of(frame),
        )

    @property
    def frame(self) -> av.VideoFrame:
        """Its planes; each call may draw it anew."""
        return self.draw()

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width as stored, pixels."""
        return self.stored_hw or (self.frame.height, self.frame.width)

    @property
    def source_hw(self) -> tuple[int, int]:
        """Height and width as displayed, pixels."""
        height, width = self.size_hw
        return (width, height) if self.orientation.transposed else (height, width)


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that should have come out here and did not.

    Attributes:
        frames: how many, as far as anyone knows.
        detail: one line for a person, secrets masked.
    """

    frames: int
    detail: str


@dataclass(frozen=True, slots=True)
class Splice:
    """What follows has another clock, and perhaps shows something else: an encoder was started
    anew, or a programme cut. Time goes on where it stood.

    Attributes:
        reason: one word for the event.
    """

    reason: str = "discontinuity"


@dataclass(frozen=True, slots=True)
class Stall:
    """A live source answers, but brings nothing new; told once, until it does again.

    Attributes:
        detail: one line for a person, secrets masked.
    """

    detail: str


Step = Picture | Loss | Splice | Stall | None
"""What a reel yields; None at a step that has nothing, as a sign of life."""


class Reel(Protocol):
    """Something that yields pictures in output order: a file, a connection, a rendered scene."""

    @property
    def seeks_by_place(self) -> bool:
        """`seek` goes by the mark and not by the pts, which may come more than once."""
        ...

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        ...

    @property
    def creation_time_us(self) -> int | None:
        """When it was recorded, as the container says; microseconds since the epoch."""
        ...

    @property
    def rendered(self) -> bool:
        """It shows a scene that dinostream drew."""
        ...

    @property
    def duration_s(self) -> float | None:
        """How long it says it is; None where it does not say, as cameras do not."""
        ...

    def pictures(self) -> Iterator[Step]:
        """Decode from where the reel stands.

        Raises:
            SourceError: nothing more can be read.
        """
        ...

    def mark(self) -> Mark:
        """How far it has read; goes into cursors."""
        ...

    def seek(self, pts: int, mark: Mark) -> bool:
        """Go to a key frame at or before `pts`, as well as the container can; whether it went.

        Args:
            pts: ticks.
            mark: taken when the frame at `pts` had come out.
        """
        ...

    def close(self) -> None:
        """Let go of files and memory."""
        ...
