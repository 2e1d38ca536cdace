"""The recording's own frames at a steady rate, as a film wants them.

A stream's specification in -> frames with their event times out, decoded in a child process.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.frames import FrameInfo
from pipeline.decode.once import decoded
from pipeline.errors import SourceError
from pipeline.render.track import Place
from pipeline.stream.chunk import End, Frames
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

LONGEST_HOLD_S = 2  # a pause in the footage is shown no longer than this

_SLACK_S = 0.001  # a frame's time is rounded to microseconds


@dataclass(frozen=True, slots=True)
class Shown:
    """What one frame of the film shows.

    Attributes:
        time_us: event time, microseconds since the epoch, by the records' clock.
        elapsed_s: since the recording's first frame.
        pixels: RGB uint8 `[H, W, 3]`.
        share: part of the recording that is done, 0 to 1; None where nobody knows.
    """

    time_us: int
    elapsed_s: float
    pixels: NDArray[np.uint8]
    share: float | None


def shown_frames(
    spec: StreamSpec, *, fps: float, short_side: int, first: Place
) -> Generator[Shown]:
    """Frames 1/fps apart; where the footage has none that near, the one before is shown again.

    Args:
        spec: the recording.
        fps: frames per second of the film.
        short_side: of the frames, pixels; rounded to multiples of the stream's patch.
        first: a place that the records know, to set the clock by.

    Raises:
        SourceError: nothing can be decoded.
    """
    taken = replace(spec, samplings=(Sampling("fps", fps),), short_side=short_side)
    rate = Fraction(str(fps))
    began: FrameInfo | None = None
    late_us = 0
    waiting: tuple[int, Shown] | None = None  # the slot it begins in
    for info, pixels, share in _frames(taken):
        if began is None:
            began = info
            late_us = _offset_us(info, first)
        elapsed_us = info.event_time_us - began.event_time_us
        slot = elapsed_us * rate.numerator // (rate.denominator * 1_000_000)
        if waiting is not None:
            yield from _held(*waiting, until=slot, rate=rate)
        time_us = info.event_time_us + late_us
        waiting = slot, Shown(time_us, elapsed_us / 1e6, pixels, share)
    if waiting is not None:
        yield waiting[1]


def require_reached(spec: StreamSpec, still_s: float) -> None:
    """Nothing where the footage has a moment, seconds since its first frame. Decodes up to there;
    the last frame counts as long as the one before it.

    Raises:
        UsageError: it ends before that moment.
        SourceError: nothing can be decoded.
    """
    every = replace(spec, samplings=(Sampling("all"),), short_side=spec.patch)
    began_us: int | None = None
    before_s = last_s = 0.0
    for info, _, _ in _frames(every):
        if began_us is None:
            began_us = info.event_time_us
        before_s, last_s = last_s, (info.event_time_us - began_us) / 1e6
        if last_s >= still_s:
            return
    end_s = last_s + min(last_s - before_s, LONGEST_HOLD_S)
    if still_s > end_s + _SLACK_S:
        raise UsageError(f"--at {still_s:g}: the footage ends at {end_s:.1f} s")


def _held(slot: int, shown: Shown, *, until: int, rate: Fraction) -> Iterator[Shown]:
    """The frame in its own slot and in those up to the next one's."""
    for later in range(max(1, min(until - slot, int(LONGEST_HOLD_S * rate)))):
        passed_s = later / rate
        yield replace(
            shown,
            time_us=shown.time_us + int(passed_s * 1_000_000),
            elapsed_s=shown.elapsed_s + float(passed_s),
        )


def _offset_us(info: FrameInfo, first: Place) -> int:
    """What to add to event times here to get the records': `--start-time` may have moved those."""
    if first.pts_s is None or info.pts is None or first.position == info.position:
        return first.time_us - info.event_time_us
    ahead_s = first.pts_s - info.pts * info.time_base
    return first.time_us - info.event_time_us - int(ahead_s * 1_000_000)


def _frames(
    spec: StreamSpec,
) -> Iterator[tuple[FrameInfo, NDArray[np.uint8], float | None]]:
    any_came = False
    for entry in decoded(spec):
        if isinstance(entry, Frames):
            any_came = True
            for info, pixels in zip(entry.infos, entry.pixels, strict=True):
                yield info, pixels, entry.share
        elif isinstance(entry, End) and not any_came:
            raise SourceError(f"{spec.stream}: {entry.detail or 'no frame can be decoded'}")
