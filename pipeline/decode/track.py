"""One stream's way from pictures to sampled frames: identity, event time, sampling, scaling.

Pictures in -> samples and gaps out. What it remembers goes into every cursor, so that another
process continues exactly there. Knows nothing of files, pipes or clocks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from pipeline.media.crop import Crop
from pipeline.media.picture import Mark, Picture
from pipeline.media.scaler import Scaler
from pipeline.stream.chunk import Cursor, Gap
from pipeline.stream.sampling import Sampler
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor, Timeline


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame that at least one rule takes.

    Attributes:
        pixels: uint8 RGB `[H, W, 3]` at model size.
        taken: bit mask of the rules that take it.
        cursor: where decoding stands after it.
        share: part of the recording that is decoded with it, 0 to 1.
        arrived_s: when, on the monotonic clock; None where nobody minds.
    """

    info: FrameInfo
    pixels: NDArray[np.uint8]
    taken: int
    cursor: Cursor
    share: float | None = None
    arrived_s: float | None = None


class Track:
    """State of one session."""

    def __init__(
        self,
        spec: StreamSpec,
        time_base: Fraction,
        anchor: Anchor,
        session: str,
        *,
        live: bool = False,
    ) -> None:
        """
        Args:
            spec: of the stream.
            time_base: seconds per tick of the pictures' times.
            anchor: the first picture's event time.
            session: its name.
            live: pictures come when they are taken, and no event time is later.
        """
        self._live = live
        self._spec = spec
        self.time_base = time_base
        self._session = session
        self._clock = anchor.clock
        self._timeline = Timeline(time_base, anchor.event_time_us)
        self._sampler = Sampler(spec.samplings, time_base)
        self._crop = Crop(spec.region)
        self._scaler = Scaler(spec.size)
        self._size_hw: tuple[int, int] | None = None
        self.duration_s: float | None = None  # of the whole, where it is known
        self._span = [Fraction(str(edge)) / time_base for edge in spec.span_s or ()]
        self.is_over = False  # nothing further is wanted
        self.rendered = False  # its pictures are scenes that dinostream drew
        self.part = 0  # which of a joined stream's files
        self.index = 0  # pictures of that file
        self.decoded = 0
        self.sampled = 0
        self.taken: Counter[int] = Counter()  # which rules took them -> how many, of this process
        self.lost = 0

    def follow(self, picture: Picture, ingest_time_us: int, mark: Mark) -> list[Sample | Gap]:
        """Account for the next decoded picture; a sample where a rule takes it."""
        local_us = ingest_time_us if self._live else None
        stamp = self._timeline.stamp(picture.pts, picture.duration, local_us)
        jumped = [Gap(self._spec.stream, "clock")] if stamp.jumped else []
        self.decoded += 1
        self.index += 1
        taken = self._sampler.take(stamp.elapsed, keyframe=picture.keyframe)
        if not taken or not self._is_wanted(stamp.elapsed):
            return [*jumped]
        self.sampled += 1
        self.taken[taken] += 1
        seen = self._crop(picture)
        info = FrameInfo(
            self._spec.stream,
            self._session,
            stamp.position,
            picture.pts,
            self.time_base,
            stamp.event_time_us,
            ingest_time_us,
            seen.source_hw,
            self._clock,
            self._spec.epoch,
            seen.preparation,
            self.rendered,
            seen.region,
        )
        resized = self._size_hw not in (None, info.source_hw)
        self._size_hw = info.source_hw
        cursor = self._cursor(info, mark)
        share = self._share(stamp.elapsed)
        sample = Sample(info, self._scaler(seen), taken, cursor, share)
        return [*jumped, *([Gap(info.stream, "size")] if resized else []), sample]

    def _is_wanted(self, elapsed: int) -> bool:
        """Whether a frame that a rule takes lies in the span; the one that reaches its end does."""
        if not self._span:
            return True
        first, last = self._span
        self.is_over = elapsed >= last
        return elapsed >= first

    def _share(self, elapsed: int) -> float | None:
        if self.duration_s is None or self.duration_s <= 0:
            return None
        return min(1.0, float(elapsed * self.time_base) / self.duration_s)

    def scale(self, picture: Picture) -> NDArray[np.uint8]:
        """What is looked at of the picture, at model size."""
        return self._scaler(self._crop(picture))

    @property
    def elapsed_us(self) -> int:
        """Media time of the last picture since the first."""
        return self._timeline.elapsed_us

    def anchor(self, anchor_us: int) -> None:
        """From now on event time is counted from here."""
        self._timeline.anchor(anchor_us)

    def splice(self) -> None:
        """The next picture has another clock; time goes on where it stands."""
        self._timeline.splice()

    def begin_file(self) -> None:
        """The next picture is the first of the next file."""
        self.splice()
        self.part += 1
        self.index = 0

    def restore(self, cursor: Cursor) -> None:
        """Go on as after the frame that the cursor was made at."""
        self._timeline.restore(cursor["timeline"])
        self._sampler.restore(cursor["sampler"])
        height, width = cursor["size_hw"]
        self._size_hw = (height, width)
        self.part, self.index = cursor["part"], cursor["index"]
        self.decoded, self.lost = cursor["decoded"], cursor["lost"]
        self.sampled = cursor.get("sampled", 0)  # older cursors have none

    def _cursor(self, info: FrameInfo, mark: Mark) -> dict[str, Any]:
        return {
            "mark": mark,
            "position": info.position,
            "pts": info.pts,
            "part": self.part,
            "index": self.index,
            "decoded": self.decoded,
            "sampled": self.sampled,
            "lost": self.lost,
            "size_hw": list(info.source_hw),
            "timeline": self._timeline.snapshot(),
            "sampler": self._sampler.snapshot(),
        }
