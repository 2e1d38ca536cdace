"""Moments of recordings, spread evenly over each: pictures to make copies of.

Streams in -> a few frames of each out, in memory. Knows nothing of backbones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from pipeline.configuration.source_plan import SourcePlan
from pipeline.dedupe.alterations import Picture
from pipeline.features.footage import Footage
from pipeline.features.recorded import recorded_spec
from pipeline.media.frame_size import FrameSize
from pipeline.stream.chunk import End, Frames
from pipeline.stream.spec import StreamSpec

log = logging.getLogger(__name__)

Tell = Callable[[float | None, str], None]
"""Called with the share that is done and how far that is, in words."""


@dataclass(slots=True)
class Moments:
    """Frames of one recording.

    Attributes:
        stream: its name.
        times_s: of each, seconds since the epoch.
        pictures: uint8 RGB `[H, W, 3]`.
    """

    stream: str
    times_s: list[float] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    def thin(self, every: int) -> None:
        """Keep every n-th."""
        self.times_s, self.pictures = self.times_s[::every], self.pictures[::every]

    def spread(self, most: int) -> None:
        """Keep so many at most, evenly."""
        if len(self.pictures) > most:
            kept = np.linspace(0, len(self.pictures) - 1, most).round().astype(int)
            self.times_s = [self.times_s[n] for n in kept]
            self.pictures = [self.pictures[n] for n in kept]


def moments_of(
    plans: Sequence[SourcePlan], size: FrameSize, *, fps: float, most: int, tell: Tell
) -> Iterator[Moments]:
    """Some frames of every recording, in their order; what cannot be decoded is logged and left
    out.

    Args:
        plans: of recordings.
        size: of a frame.
        fps: taken per second at most.
        most: of one recording.
        tell: hears which recording is read.
    """
    with closing(Footage()) as footage:
        specs = [recorded_spec(plan, size, fps) for plan in plans]
        for number, (spec, following) in enumerate(zip(specs, [*specs[1:], None], strict=True)):
            tell(number / len(specs), f"{number} of {len(specs)} recordings")
            footage.prepare(spec)
            if following:
                footage.prepare(following)
            yield _read(footage, spec, most)


def _read(footage: Footage, spec: StreamSpec, most: int) -> Moments:
    """However long it is, no more than twice as many are in memory."""
    found, step, seen = Moments(spec.stream), 1, 0
    for entry in footage.entries(spec):
        if isinstance(entry, Frames):
            for info, pixels in zip(entry.infos, entry.pixels, strict=True):
                if seen % step == 0:
                    found.times_s.append(info.event_time_us / 1e6)
                    found.pictures.append(pixels.copy())
                seen += 1
                if len(found.pictures) > 2 * most:
                    found.thin(2)
                    step *= 2
        elif isinstance(entry, End) and not found.pictures:
            log.warning("%s: left out, no frame in it (%s)", spec.stream, entry.detail)
    found.spread(most)
    return found
