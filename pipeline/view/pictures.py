"""Pictures of frames, out of the footage that their records are of, decoded when somebody looks.

One frame is looked for at a time, the newest request first: who moves along a timeline wants the
place where they are now. Behind it some more are decoded, so that the next step is quick.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from operators.errors import DinostreamError
from pipeline.media.region import Box
from pipeline.stream.spec import StreamSpec
from pipeline.view.album import Album
from pipeline.view.film import Film
from pipeline.view.footage import Footage
from pipeline.view.picture import jpeg

KEPT_BYTES = 64 << 20
MOST_WAITING = 16
MOST_FILMS = 4  # that are open; a process of some 100 MB each
LARGEST_SIDE = 1080
SMALLEST_SIDE = 16
PATIENCE_S = 30.0  # for one frame; without timestamps all before it is decoded
LOOK_S = 0.1  # that frames are waited for before it is looked what else is wanted
IDLE_S = 60.0  # after which nothing is open any more
ENDS = "the service ends"

Reel = tuple[str, str, int]
"""Stream, session, and the short side that is decoded, pixels."""


class NoPicture(DinostreamError):
    """There is none; the text says why and what helps."""


class Shot(NamedTuple):
    """Which picture: of what frame, how large at most, and which part of it."""

    stream: str
    session: str
    position: str
    side: int
    region: Box | None

    @property
    def decoded_side(self) -> int:
        """Short side of the whole picture, pixels."""
        return LARGEST_SIDE if self.region else self.side

    @property
    def reel(self) -> Reel:
        """What brings it and others."""
        return self.stream, self.session, self.decoded_side


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    shot: Shot
    spec: StreamSpec
    picture: Future[bytes] = field(default_factory=Future)


class Pictures:
    """Of some footage. From any thread."""

    def __init__(self, footage: Footage, *, kept_bytes: int = KEPT_BYTES) -> None:
        """
        Args:
            footage: what records may be of.
            kept_bytes: most that pictures may take that are kept for another look.
        """
        self._footage = footage
        self._album = Album(kept_bytes)
        self._films: OrderedDict[Reel, Film] = OrderedDict()  # looked at last, last
        self._shown: Shot | None = None  # what was looked at last
        self._waiting: list[_Request] = []
        self._changed = threading.Condition()
        self._closed = False
        self._worker: threading.Thread | None = None  # until somebody looks

    def source(self, stream: str, session: str) -> str | None:
        """`footage` where a session's recording is at hand."""
        return "footage" if self._footage.holds(stream, session) else None

    def of(
        self,
        stream: str,
        session: str,
        position: str,
        time_us: int,
        side: int,
        region: str = "",
    ) -> bytes:
        """A JPEG of that very frame; waits for it.

        Args:
            stream, session, position: of the record.
            time_us: its event time, microseconds since the epoch.
            side: most pixels of the short side.
            region: as the record says it, where it does: the part that is shown.

        Raises:
            NoPicture: it is not there, or cannot be decoded.
        """
        side = min(max(side, SMALLEST_SIDE), LARGEST_SIDE)
        shot = Shot(stream, session, position, side, _box(region))
        with self._changed:
            self._shown = shot
            self._changed.notify()
            picture = self._album.get(shot)
            if picture is not None:
                return picture
            request = self._asked(shot, time_us)
        return request.picture.result()

    def close(self) -> None:
        """Let go of decoders; whoever waits hears that there is no picture."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._worker:
            self._worker.join()

    def _asked(self, shot: Shot, time_us: int) -> _Request:
        """A request that waits; the oldest gives way where too many do."""
        if self._closed:
            raise NoPicture(ENDS)
        for known in self._waiting:
            if known.shot == shot:
                self._waiting.remove(known)
                self._waiting.append(known)
                return known
        where = (shot.stream, shot.session, shot.position, time_us)
        spec = self._footage.spec(*where, shot.decoded_side)
        if spec is None:
            raise NoPicture(_absent(shot, any_footage=bool(self._footage)))
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="pictures", daemon=True)
            self._worker.start()
        request = _Request(shot, spec)
        self._waiting.append(request)
        if len(self._waiting) > MOST_WAITING:
            left = self._waiting.pop(0)
            left.picture.set_exception(NoPicture("newer pictures were asked for; ask again"))
        return request

    def _work(self) -> None:
        while not self._closed:
            request = self._next()
            if request is not None:
                self._answer(request)
            else:
                self._read_ahead()
        self._let_go()
        with self._changed:
            for request in self._waiting:
                request.picture.set_exception(NoPicture(ENDS))

    def _next(self) -> _Request | None:
        """The newest request; None: there is none, and time to read ahead, or this is the end."""
        with self._changed:
            while not (self._closed or self._waiting or self._is_behind()):
                if not self._changed.wait(IDLE_S):
                    self._let_go()
            return self._waiting.pop() if self._waiting and not self._closed else None

    def _is_behind(self) -> bool:
        """Somebody looks at a frame behind which not enough is decoded."""
        shown = self._shown
        film = self._films.get(shown.reel) if shown else None
        return film is not None and shown is not None and film.is_behind(shown.position)

    def _read_ahead(self) -> None:
        shown = self._shown
        if shown is not None and shown.reel in self._films:
            with suppress(NoPicture):  # whoever asks for that one is told
                self._read(self._films[shown.reel], shown)

    def _answer(self, request: _Request) -> None:
        try:
            request.picture.set_result(self._found(request))
        except Exception as error:  # whoever waits has to hear of it, whatever it is
            request.picture.set_exception(error)

    def _found(self, request: _Request) -> bytes:
        shot, until_s = request.shot, time.monotonic() + PATIENCE_S
        while (picture := self._album.get(shot)) is None:
            film = self._film(request)
            self._read(film, shot)
            why_not = film.over
            if self._closed:
                why_not = ENDS
            elif time.monotonic() > until_s:
                why_not = f"frame {shot.position} was not found within {PATIENCE_S:g} s"
            if why_not is not None and self._album.get(shot) is None:
                self._films.pop(shot.reel).close()
                raise NoPicture(f"{shot.stream}: {why_not}")
        return picture

    def _film(self, request: _Request) -> Film:
        """The one that is open, if the frame is soon to come in it; else another."""
        reel = request.shot.reel
        film = self._films.pop(reel, None)
        if film is not None and not film.leads_to(request.shot.position):
            film.close()
            film = None
        self._films[reel] = film = film or Film(request.spec)
        while len(self._films) > MOST_FILMS:
            self._films.popitem(last=False)[1].close()
        return film

    def _read(self, film: Film, shot: Shot) -> None:
        """Its next frames, as pictures like this one."""
        for info, pixels in film.read(LOOK_S):
            try:
                made = jpeg(pixels, info.source_hw, side=shot.side, region=shot.region)
            except ValueError as error:
                raise NoPicture(f"{shot.stream}: {error}") from None
            self._album.put(shot._replace(position=info.position), made)

    def _let_go(self) -> None:
        while self._films:
            self._films.popitem()[1].close()


def _box(said: str) -> Box | None:
    """`left,top,right,bottom`, pixels."""
    if not said:
        return None
    try:
        left, top, right, bottom = map(int, said.split(","))
    except ValueError:
        raise NoPicture(f"the record's region {said!r} is none") from None
    return left, top, right, bottom


def _absent(shot: Shot, *, any_footage: bool) -> str:
    what = f"the footage of session {shot.session} of {shot.stream}"
    if any_footage:
        return f"{what} is not among what --media names; name the very file, or its tape"
    return f"{what} is not known here: --media FILE_OR_FOLDER names it"
