"""Frames of a tape that are left out because the run that is done again had not computed them."""

from __future__ import annotations

from operators.frames import FrameInfo
from pipeline.stream.spec import StreamSpec


class Breaks:
    """Counts them off as the frames come.

    Attributes:
        left_out: frames so far.
        begun: the frame before this one was taken, and this one is not.
    """

    def __init__(self, spec: StreamSpec) -> None:
        """`spec`: with its breaks, and the frame that it goes on behind."""
        self._lengths: dict[tuple[str, str], int] = {}
        for session, position, frames in spec.breaks or ():
            place = (session, position)
            self._lengths[place] = self._lengths.get(place, 0) + frames
        self._late = {name.partition("-")[0] for name in spec.late_begins}
        self._left = 0
        self._begun = spec.cursor is not None
        if cursor := spec.cursor:
            self._left = self._lengths.pop((cursor["session"], cursor["position"]), 0)
        self._within = False
        self.left_out = 0
        self.begun = False

    def takes(self, info: FrameInfo) -> bool:
        """Whether the next sampled frame is to be computed."""
        place = (info.session, info.position)
        if not self._begun:
            self._begun = True
            self._left = self._before_all(info.session)
        if self._left:
            self.begun = not self._within
            self._within = True
            self._left -= 1
            self.left_out += 1
            self._left += self._lengths.pop(place, 0)
            return False
        self._within = self.begun = False
        self._left = self._lengths.pop(place, 0)
        return True

    def _before_all(self, session: str) -> int:
        """How many of the stream's first frames are left out, of which only a time is known: none
        where the tape's first session began later, or has lost its own first frames."""
        if session in self._late:
            return 0
        return sum(
            frames
            for (by_us, position), frames in self._lengths.items()
            if not position and int(by_us) >= int(session)
        )
