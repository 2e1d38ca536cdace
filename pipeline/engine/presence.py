"""Whether a live stream's camera is there: entries and trouble in -> one word for people. Pure."""

from __future__ import annotations

from pipeline.engine.camera import State
from pipeline.engine.reasons import brief
from pipeline.stream.chunk import End, Entry, Frames, Gap, Trouble


class Presence:
    """Whether a camera is there, as its stream tells in its order.

    Trouble overtakes frames that still wait, and those bring the camera back no more: what does is
    a frame of another session, or that its playlist grows again.

    Attributes:
        state: as far as that has been told.
        why: it is not there, in one line; empty while it is.
    """

    def __init__(self) -> None:
        self.state: State = "starting"
        self.why = ""
        self._seen = ""  # session of the last frame
        self._left = ""  # the session that trouble put an end to

    def lose(self, trouble: Trouble) -> None:
        """Its connection is in trouble."""
        self.state = "stalled" if trouble.kind == "stalled" else "lost"
        self.why = brief(trouble.detail)
        self._left = trouble.session or self._seen

    def see(self, entry: Entry) -> None:
        """The stream's next entry."""
        if isinstance(entry, Frames):
            self._seen = entry.infos[-1].session
            if self._seen != self._left:
                self._come()
        elif isinstance(entry, Gap) and entry.reason == "resumed":
            self._come()
        elif isinstance(entry, End):
            self.state, self.why = "ended", brief(entry.detail)

    def _come(self) -> None:
        self.state, self.why = "live", ""
