"""Plays one file of a stream that is followed: as far as it is written, and on as it grows."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from pipeline.decode.playback import Playback
from pipeline.errors import SourceError
from pipeline.media.growing import GrowingFile
from pipeline.media.opening import open_growing
from pipeline.media.picture import Reel
from pipeline.media.retry import Wait
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor, Clock

_TELLS_ITS_LENGTH = re.compile(r"\.(ts|m2ts|mts)$", re.IGNORECASE)  # while it grows


@dataclass(frozen=True, slots=True)
class Begun:
    """A file of the stream that is being read; JSON values, which go into cursors.

    Attributes:
        name: below the folder.
        session: of its frames.
        before: frames of the files before it: decoded, sampled, lost.
        event_time_us: of its first frame; None until it is open.
        clock: where that is from.
    """

    name: str
    session: str
    before: tuple[int, int, int]
    event_time_us: int | None = None
    clock: Clock = "media"


class Segment(Playback):
    """One file, whole or growing.

    Attributes:
        begun: what is known of it.
    """

    def __init__(
        self,
        spec: StreamSpec,
        wall_us: Callable[[], int],
        wait: Wait,
        begun: Begun,
    ) -> None:
        """A whole one, unless it `grows`."""
        super().__init__(spec, wall_us, wait)
        self.begun = begun
        self._path, self._wait = spec.url, wait
        self._open_growing: Callable[[], GrowingFile] | None = None
        self._growing: GrowingFile | None = None
        self._whole_bytes = 0

    def grows(self, is_over: Callable[[float], bool], clock: Callable[[], float]) -> None:
        """Somebody is writing it; see `GrowingFile`."""
        self._open_growing = partial(GrowingFile, self._path, is_over, self._wait, clock)

    def unread_bytes(self) -> int:
        """That have been added since it was read; of one that broke off nobody knows."""
        if self._growing is not None and not self._growing.over:
            return 0
        read = self._growing.position if self._growing else self._whole_bytes
        try:
            return max(0, os.path.getsize(self._path) - read)
        except OSError:
            return 0

    def _open(self, url: str) -> Reel:
        try:
            if self._open_growing is None:
                self._whole_bytes = os.path.getsize(url)
                return super()._open(url)
            self._growing = self._open_growing()
        except OSError as error:
            raise SourceError(f"cannot be opened: {error.strerror}") from None
        return open_growing(
            self._growing,
            max_pixels=self._spec.max_pixels,
            damaged=self._spec.damaged,
            deinterlace=self._spec.deinterlace,
            device=self._spec.decode,
        )

    def _anchor(self, reel: Reel) -> Anchor:
        """Where the file was resumed, the same as before."""
        if self.begun.event_time_us is None:
            found = self._found(reel)
            self.begun = replace(self.begun, event_time_us=found.event_time_us, clock=found.clock)
        assert self.begun.event_time_us is not None
        return Anchor(self.begun.event_time_us, self.begun.clock)

    def _found(self, reel: Reel) -> Anchor:
        """What the file says, else when it was written last, without what it holds by then."""
        if reel.creation_time_us is not None:
            return Anchor(reel.creation_time_us, "container")
        written_us = os.stat(self._path).st_mtime_ns // 1000
        return Anchor(written_us - int(self._length_s(reel) * 1_000_000), "start-time")

    def _length_s(self, reel: Reel) -> float:
        if self._growing is None:
            return reel.duration_s or 0.0
        if not _TELLS_ITS_LENGTH.search(self._path):
            return 0.0
        try:
            so_far = super()._open(self._path)
        except SourceError:
            return 0.0  # it has hardly begun
        length_s = so_far.duration_s
        so_far.close()
        return length_s or 0.0
