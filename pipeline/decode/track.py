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
from pipeline.media.miniature import Miniature
from pipeline.media.picture import Mark, Picture
from pipeline.media.scaler import Scaler
from pipeline.stream.capture_time import CaptureTime
from pipeline.stream.chunk import Cursor, Gap
from pipeline.stream.drift import Drift, DriftMeter
from pipeline.stream.sampling import Sampler
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor, Stamp, Timeline


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame that at least one rule takes.

    Attributes:
        pixels: uint8 RGB `[H, W, 3]` at model size.
        taken: bit mask of the rules that take it.
        cursor: where decoding stands after it.
        share: part of the recording that is decoded with it, 0 to 1.
        arrived_s: when, on the monotonic clock; None where nobody minds.
        drift: how fast the camera's clock runs against this machine's, as far as that is known.
        ahead_us: its event time less that by arrival.
        repeats: position of the computed frame that it shows again (`pipeline.decode.stillness`).
    """

    info: FrameInfo
    pixels: NDArray[np.uint8]
    taken: int
    cursor: Cursor
    share: float | None = None
    arrived_s: float | None = None
    drift: Drift | None = None
    ahead_us: int = 0
    repeats: str = ""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One decoded frame of a stream in which shots are looked for, whether a rule takes it or not.

    Attributes:
        cells: of `pipeline.media.miniature`.
    """

    info: FrameInfo
    cells: NDArray[np.uint8]


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
        drift: DriftMeter | None = None,
    ) -> None:
        """
        Args:
            spec: of the stream.
            time_base: seconds per tick of the pictures' times.
            anchor: the first picture's event time.
            session: its name.
            live: pictures come when they are taken, and no event time is later.
            drift: live: measures the clock of their timestamps; None: they have none.
        """
        self._live = live
        self._spec = spec
        self.time_base = time_base
        self._session = session
        self._clock = anchor.clock
        self._timeline = Timeline(time_base, anchor.event_time_us)
        self._drift = drift
        self._capture: CaptureTime | None = None  # event time goes by it
        self.pts: int | None = None  # of the last picture
        self._sampler = Sampler(spec.samplings, time_base)
        self._crop = Crop(spec.region)
        self._scaler = Scaler(spec.size)
        self._miniature = Miniature() if spec.shots else None
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

    def follow(
        self, picture: Picture, ingest_time_us: int, mark: Mark, zero_us: int | None = None
    ) -> list[Sample | Gap | Glimpse]:
        """Account for the next decoded picture; a sample where a rule takes it, and before that a
        glimpse where shots are looked for.

        Args:
            picture: it.
            ingest_time_us: when it was decoded, microseconds since the epoch.
            mark: of its reel, behind it.
            zero_us: the camera's wall clock at timestamp 0, as far as it has told.
        """
        local_us = ingest_time_us if self._live else None
        self.pts = picture.pts
        stamp = self._timeline.stamp(picture.pts, picture.duration, local_us)
        event_time_us, stepped = self._date(stamp, zero_us)
        jumped = [Gap(self._spec.stream, "clock")] if stamp.jumped or stepped else []
        self._measure(stamp, ingest_time_us)
        self.decoded += 1
        self.index += 1
        taken = self._sampler.take(stamp.elapsed, keyframe=picture.keyframe)
        wanted = bool(taken) and self._is_wanted(stamp.elapsed)
        if not wanted and self._miniature is None:
            return [*jumped]
        seen = self._crop(picture)
        info = FrameInfo(
            self._spec.stream,
            self._session,
            stamp.position,
            picture.pts,
            self.time_base,
            event_time_us,
            ingest_time_us,
            seen.source_hw,
            "capture" if self._capture else self._clock,
            self._spec.epoch,
            seen.preparation,
            self.rendered,
            seen.region,
        )
        glimpses = self._glimpsed(info, seen, stamp.elapsed)
        if not wanted:
            return [*jumped, *glimpses]
        self.sampled += 1
        self.taken[taken] += 1
        resized = self._size_hw not in (None, info.source_hw)
        self._size_hw = info.source_hw
        cursor = self._cursor(info, mark)
        share = self._share(stamp.elapsed)
        sample = Sample(
            info,
            self._scaler(seen),
            taken,
            cursor,
            share,
            drift=self._drift.drift if self._drift else None,
            ahead_us=event_time_us - stamp.event_time_us,
        )
        return [*jumped, *glimpses, *([Gap(info.stream, "size")] if resized else []), sample]

    def _glimpsed(self, info: FrameInfo, seen: Picture, elapsed: int) -> list[Glimpse]:
        """Of a frame within the span. Its last frames are left to the sampling, which no shot may
        depend on."""
        if self._miniature is None or (self._span and not self._lies_within(elapsed)):
            return []
        return [Glimpse(info, self._miniature(seen))]

    def _lies_within(self, elapsed: int) -> bool:
        first, last = self._span
        return first <= elapsed < last

    def _date(self, stamp: Stamp, zero_us: int | None) -> tuple[int, bool]:
        """Event time of the last picture, and whether the camera has set its clock before it."""
        if self._capture is None or zero_us is None:
            return stamp.event_time_us, False
        return self._capture.stamp(self.pts, zero_us, stamp.event_time_us)

    def _measure(self, stamp: Stamp, arrived_us: int) -> None:
        if self._drift is None:
            return
        if stamp.jumped:
            self._drift.restart()
        if stamp.media_us is not None:
            self._drift.see(stamp.media_us, arrived_us)

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

    @property
    def by_arrival_us(self) -> int:
        """Event time of the last picture, by arrival."""
        return self._timeline.event_time_us

    def anchor(self, anchor_us: int) -> None:
        """From now on event time is counted from here."""
        self._timeline.anchor(anchor_us)

    def date_by(self, capture: CaptureTime) -> None:
        """From now on event time is the camera's own."""
        self._capture = capture

    def splice(self) -> None:
        """The next picture has another clock; time goes on where it stands."""
        self._timeline.splice()
        if self._drift:
            self._drift.restart()

    @property
    def end_us(self) -> int:
        """Event time at which the next picture would be, went it on like this."""
        return self._timeline.event_time_us + self._timeline.step_us

    def begin_file(self, at_us: int | None = None) -> None:
        """The next picture is the first of the next file, and happened then; None: it goes on."""
        self._timeline.splice(None if at_us is None else at_us - self._timeline.event_time_us)
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

    def live_snapshot(self) -> dict[str, Any]:
        """What a live session remembers, as JSON values: by it a tape is played from here on."""
        return {
            "size_hw": self._size_hw and list(self._size_hw),
            "timeline": self._timeline.live_snapshot(),
            "rules": [rule.canonical() for rule in self._spec.samplings],
            "sampler": self._sampler.snapshot(),
            "capture": self._capture and self._capture.snapshot(),
        }

    def live_restore(self, state: dict[str, Any]) -> None:
        """Go on where `live_snapshot` was taken; the sampler too, where its rules are the same.
        Frames are counted from here: those before are on no tape any more."""
        self._size_hw = state["size_hw"] and (state["size_hw"][0], state["size_hw"][1])
        self._timeline.live_restore(state["timeline"])
        if state["rules"] == [rule.canonical() for rule in self._spec.samplings]:
            self._sampler.restore(state["sampler"])
        if state["capture"]:
            self._capture = CaptureTime(self.time_base, 0)
            self._capture.restore(state["capture"])

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
