"""A recording that is played to its end: the frames that stand for it, and what became of the rest.

Through the decode processes that replay uses. Knows nothing of what is done with the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.configuration.source_plan import SourcePlan
from pipeline.features.footage import Footage
from pipeline.features.recorded import recorded_spec
from pipeline.features.takes import Take, Takes
from pipeline.media.frame_size import FrameSize
from pipeline.stream.chunk import End, Frames
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec
from pipeline.synthetic.uri import SCHEME

Tell = Callable[[float | None], None]
"""Hears which share of a recording is done; None: its length is not known."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of a recording's frames.

    Attributes:
        decoded: frames.
        looked_at: of those, the ones among which some are taken.
        shots: that it has.
        unseen: shots without such a frame.
        lost: frames that could not be decoded.
    """

    decoded: int = 0
    looked_at: int = 0
    shots: int = 0
    unseen: int = 0
    lost: int = 0


def shot_spec(plan: SourcePlan, size: FrameSize, fps: float) -> StreamSpec:
    """How a recording is decoded for `Taking`. Scenes are played without a look for cuts, which
    they have none of.

    Args:
        plan: of the recording.
        size: of a frame.
        fps: frames per second among which some are taken.
    """
    shots = None if plan.url.startswith(SCHEME) else ShotRule()
    return recorded_spec(plan, size, fps, shots=shots)


class Taking:
    """One recording, played once.

    Attributes:
        end: its last entry; of one that was not played to its end that it was rejected.
    """

    def __init__(self, footage: Footage, spec: StreamSpec, every_s: float) -> None:
        """
        Args:
            footage: plays it.
            spec: of `shot_spec`.
            every_s: as of `Takes`.
        """
        self.end = End(spec.stream, "rejected")
        self._footage, self._spec = footage, spec
        self._takes = Takes(every_s)
        self._looked_at = 0

    def takes(self, tell: Tell) -> Iterator[Take]:
        """The frames that stand for it, as soon as it is known that they do.

        Args:
            tell: hears how far it is.
        """
        for entry in self._footage.entries(self._spec):
            if isinstance(entry, Frames):
                self._looked_at += len(entry.infos)
                tell(entry.share)
            yield from self._takes.see(entry)
            if isinstance(entry, End):
                self.end = entry
        yield from self._takes.rest()

    @property
    def counted(self) -> Counted:
        """So far."""
        end, takes = self.end, self._takes
        return Counted(end.decoded, self._looked_at, takes.shots, takes.unseen, end.lost)
