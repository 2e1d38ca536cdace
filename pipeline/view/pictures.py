"""Pictures of records, as JPEGs: frames of the footage, decoded when somebody looks at them.

One frame is looked for at a time, the newest request first: who moves along a timeline wants the
place where they are now. Behind it some more are decoded, so that the next step is quick.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from operators.errors import DinostreamError
from pipeline.media.region import Box
from pipeline.stream.spec import StreamSpec
from pipeline.view.album import Album
from pipeline.view.film import Film
from pipeline.view.footage import Footage
from pipeline.view.picture import jpeg

KEPT_BYTES = 64 << 20
MOST_WAITING = 16
LARGEST_SIDE = 1080
SMALLEST_SIDE = 16
PATIENCE_S = 30.0  # for one frame; without timestamps all before it is decoded
LOOK_S = 0.1  # between two looks for a newer request

Source = Literal["footage"]


class NoPicture(DinostreamError):
    """There is none, and why."""


class Shot(NamedTuple):
    """Which picture: of what frame, how large at most, and which part of it."""

    stream: str
    session: str
    position: str
    side: int
    region: Box | None


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    shot: Shot
    spec: StreamSpec
    picture: Future[bytes] = field(default_factory=Future)


class Pictures:
    """Of some footage. From any thread; `close` ends what is going on."""

    def __init__(self, media: Sequence[str], *, kept_bytes: int = KEPT_BYTES) -> None:
        """
        Args:
            media: what records may be of; see `Footage.of`.
            kept_bytes: most that pictures may take that are kept for another look.

        Raises:
            UsageError: there is no such footage.
        """
        self._footage = Footage.of(media)
        self._album = Album(kept_bytes)
        self._film: Film | None = None
        self._shown: Shot | None = None  # what was looked at last
        self._waiting: list[_Request] = []
        self._changed = threading.Condition()
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="pictures", daemon=True)
        self._worker.start()

    def source(self, stream: str, session: str) -> Source | None:
        """Where pictures of a session come from; None: there are none."""
        return "footage" if self._footage.holds(stream, session) else None

    def of(
        self,
        stream: str,
        session: str,
        position: str,
        time_us: int,
        side: int,
        region: Box | None = None,
    ) -> bytes:
        """The JPEG of the very frame that a record is of; waits for it.

        Args:
            stream, session, position: of the record.
            time_us: its event time, microseconds since the epoch.
            side: short side, pixels, at most.
            region: the record's, where it has one: the part that is shown, pixels of the whole
                picture as displayed.

        Raises:
            NoPicture: the footage is not here, or the frame cannot be had.
        """
        side = min(max(side, SMALLEST_SIDE), LARGEST_SIDE)
        shot = Shot(stream, session, position, side, region)
        picture = self._album.get(shot)
        with self._changed:
            self._shown = shot
            if picture is not None:
                self._changed.notify()
                return picture
            request = self._asked(shot, time_us)
            self._changed.notify()
        return request.picture.result()

    def close(self) -> None:
        """End the decoder; whoever waits hears that there is no picture."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._worker.join()

    def _asked(self, shot: Shot, time_us: int) -> _Request:
        """A request that waits; the oldest gives way where too many do."""
        for known in self._waiting:
            if known.shot == shot:
                self._waiting.remove(known)
                self._waiting.append(known)
                return known
        if self._closed:
            raise NoPicture("the service ends")
        where = (shot.stream, shot.session, shot.position, time_us)
        spec = self._footage.spec(*where, LARGEST_SIDE if shot.region else shot.side)
        if spec is None:
            raise NoPicture(_absent(shot, any_footage=bool(self._footage)))
        request = _Request(shot, spec)
        self._waiting.append(request)
        if len(self._waiting) > MOST_WAITING:
            left = self._waiting.pop(0)
            left.picture.set_exception(NoPicture("newer pictures were asked for; ask again"))
        return request

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._closed or self._waiting or self._is_behind()):
                    self._changed.wait()
                if self._closed:
                    break
                request = self._waiting.pop() if self._waiting else None
            if request is None:
                self._read(self._shown)
                continue
            try:
                request.picture.set_result(self._found(request))
            except Exception as error:  # whoever waits has to hear of it, whatever it is
                request.picture.set_exception(error)
        self._let_go()
        for request in self._waiting:
            request.picture.set_exception(NoPicture("the service ends"))

    def _is_behind(self) -> bool:
        """Whether somebody looks at a frame behind which not enough is decoded."""
        if self._film is None or self._shown is None:
            return False
        self._film.seen(self._shown.position)
        return not self._film.ahead

    def _found(self, request: _Request) -> bytes:
        if self._film is None or not self._film.reaches(request.spec):
            self._let_go()
            self._film = Film(request.spec)
        film, until_s = self._film, time.monotonic() + PATIENCE_S
        while (picture := self._album.get(request.shot)) is None:
            self._read(request.shot)
            if film.over is not None and self._album.get(request.shot) is None:
                self._let_go()
                raise NoPicture(f"{request.spec.stream}: {film.over}")
            if self._closed or time.monotonic() > until_s:
                self._let_go()
                raise NoPicture(
                    f"the frame was not found within {PATIENCE_S:g} s; its recording has no "
                    "timestamps to look for it by, or is far away"
                )
        return picture

    def _read(self, shot: Shot | None) -> None:
        """The film's next frames, as pictures like this one."""
        assert self._film
        assert shot
        for info, pixels in self._film.read(LOOK_S):
            there = shot._replace(position=info.position)
            made = jpeg(pixels, info.source_hw, side=shot.side, region=shot.region)
            self._album.put(there, made)

    def _let_go(self) -> None:
        if self._film is not None:
            self._film.close()
        self._film = None


def _absent(shot: Shot, *, any_footage: bool) -> str:
    what = f"the footage of session {shot.session} of {shot.stream}"
    if any_footage:
        return f"{what} is not among what --media names; name the very file, or its tape"
    return f"{what} is not known here: --media FILE_OR_FOLDER names it"
