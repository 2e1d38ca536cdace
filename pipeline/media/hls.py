"""Plays an HLS source: one variant, segment by segment.

libav's own reader fetches every variant, stops or loops at a missing segment, says nothing of
discontinuities, and begins every connection with what was shown in the one before (FFmpeg 8.1); so
only its containers, codecs and cipher are used.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from fractions import Fraction

from pipeline.errors import SourceError
from pipeline.media.container import open_bytes
from pipeline.media.device import Device
from pipeline.media.hls_feed import Clock, Expired, Feed
from pipeline.media.hls_memory import Shown
from pipeline.media.hls_playlist import GROWS, Playlist, Segment, choose
from pipeline.media.hls_segments import TIME_BASE, Segments
from pipeline.media.hls_site import HlsSite
from pipeline.media.http import SameHost
from pipeline.media.picture import Loss, Mark, Picture, Splice, Step
from pipeline.media.retry import Retry, Wait, sleep

HOPELESS = 3  # segments of a live playlist without a picture so far: it has none


class HlsReel:
    """Implements `pipeline.media.picture.Reel` for a playlist, recorded or live.

    Attributes:
        duration_s: of a recording.
        sender: None, as nobody tells the clock of its timestamps (`VideoReel.sender`).
        creation_time_us: when its first segment was recorded, where the playlist says.
        behind_s: live: footage between the first picture and the opening, at most; known with that
            picture, and negative where it was taken later.
    """

    seeks_by_place = True

    def __init__(
        self,
        site: HlsSite,
        feed: Feed,
        segments: Segments,
        *,
        clock: Clock = time.monotonic,
        wait: Wait = sleep,
        shown: Mark | None = None,
    ) -> None:
        """
        Args:
            site: where the bytes are.
            feed: which come next.
            segments: decodes them.
            clock: seconds, monotonic.
            wait: sleeps so many seconds.
            shown: live: the mark of the last picture that was given out before this connection.
        """
        self._site, self._feed, self._segments = site, feed, segments
        self._clock, self._wait = clock, wait
        self._shown = Shown(shown, finite=not feed.live)
        if self._shown.number is None:
            pass
        elif self.finite:
            feed.go(self._shown.number)
        else:
            feed.go_behind(self._shown.number)
        self._mark: Mark = [None]
        self._restarts = False  # a discontinuity lies before the next picture
        self._awaited_s = 0.0  # length of the segment that is gone on in
        self._untold: list[tuple[float, str]] = []  # lost before the rate of pictures was known
        self._began = False
        self._dated = not feed.live  # `behind_s` is known
        self._first: tuple[int, int | None] = (-1, None)  # segment, and its first picture's pts
        self.duration_s = None if feed.live else feed.left_s
        self.behind_s = 0.0
        self.creation_time_us = feed.start_us
        self.rendered = False
        self.sender = None

    @classmethod
    def open(
        cls,
        url: str,
        site: SameHost,
        *,
        keyframes: bool,
        max_pixels: int,
        damaged: bool,
        deinterlace: bool = True,
        device: Device = "cpu",
        short_side: int,
        live: bool,
        stall_s: float,
        clock: Clock = time.monotonic,
        wait: Wait = sleep,
        shown: Mark | None = None,
    ) -> HlsReel:
        """Open a playlist.

        Args:
            url: of a media or master playlist.
            site: its host.
            keyframes: decode key frames only.
            max_pixels: refuse larger pictures.
            damaged: give out pictures that a loss has spoilt.
            deinterlace: take one field of interlaced pictures.
            device: what decodes.
            short_side: of the frames that the model sees; the variant is chosen by it.
            live: it may grow; else it must be a recording by now.
            stall_s: see `Feed`.
            clock, wait, shown: see the class.

        Raises:
            SourceError: it cannot be had, or not be played.
        """
        files = HlsSite(site)
        playlist = files.playlist(url)
        if not isinstance(playlist, Playlist):
            url = choose(playlist, short_side).url
            playlist = files.media(url)
        if not (live or playlist.ended):
            raise SourceError(GROWS, retryable=True)
        feed = Feed(playlist, lambda: files.media(url), stall_s=stall_s, clock=clock, wait=wait)
        segments = Segments(
            keyframes=keyframes,
            max_pixels=max_pixels,
            damaged=damaged,
            deinterlace=deinterlace,
            device=device,
        )
        return cls(files, feed, segments, clock=clock, wait=wait, shown=shown)

    @property
    def time_base(self) -> Fraction:
        """Of all playlists, whatever their segments count in."""
        return TIME_BASE

    @property
    def finite(self) -> bool:
        """It has an end, and waits for us until then."""
        return self._shown.finite

    @property
    def resumed(self) -> bool:
        """It has met the picture that it goes on behind."""
        return self._shown.met

    def pictures(self) -> Iterator[Step]:
        """See `Reel.pictures`."""
        try:
            for item in self._feed.segments():
                if isinstance(item, Segment):
                    yield from self._play(item)
                elif isinstance(item, Expired):
                    yield from self._lose(item.seconds, item.detail)
                else:
                    yield item
        except SourceError:  # what waits in the decoder came before
            yield from self._placed(self._segments.drain())
            raise
        yield from self._placed(self._segments.drain())
        if self._untold:
            raise SourceError(self._untold[0][1])

    def mark(self) -> Mark:
        """Of the last picture; see `Shown.mark`."""
        return self._mark

    def seek(self, pts: int, mark: Mark) -> bool:
        """Go to the segment of the marked picture, or so much before as `pts` is before its."""
        marked_pts, _, *pairs = mark
        if marked_pts is None or not pairs or pairs[-2] is None:
            return False
        back_s = float((marked_pts - pts) * TIME_BASE)
        for _ in self._segments.drain():
            pass
        return self._feed.go(self._feed.before(pairs[-2], back_s))

    def close(self) -> None:
        """Nothing is held between two steps."""

    def _play(self, segment: Segment) -> Iterator[Step]:
        if segment.restarts:
            yield from self._placed(self._segments.drain())
            self._restarts = self._began
        try:
            head, body = yield from self._fetched(segment)
            if self._shown.add(segment.number, body):
                return
            if self._shown.awaits:
                self._awaited_s = self._awaited_s or segment.seconds
            opened = open_bytes(head + body, max_pixels=self._segments.max_pixels)
        except SourceError as error:
            if error.retryable:
                raise
            yield from self._lose(segment.seconds, f"segment {segment.name}: {error}")
            return
        steps = self._segments.play(segment.number, segment.seconds, head, opened)
        yield from self._placed(steps)
        yield from self._told()

    def _placed(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Pictures that are new with their marks, and behind a splice where one is due."""
        for step in steps:
            if isinstance(step, Picture):
                yield from self._new(step, self._segments.origin(step))
            elif not (isinstance(step, Loss) and self._shown.awaits):  # else it was told then
                yield step

    def _new(self, picture: Picture, number: int) -> Iterator[Step]:
        if number != self._first[0]:
            self._first = number, picture.pts
        awaited = self._shown.awaits
        if self._shown.has(number, picture.pts):
            yield None
            return
        if awaited and not self._shown.awaits:
            yield self._unmet(picture)
        if not self._dated:
            self._date(picture, number)
        if self._restarts:
            yield Splice()
        self._began, self._restarts = True, False
        self._mark = self._shown.mark(number, picture.pts)
        yield picture

    def _date(self, picture: Picture, number: int) -> None:
        """Of the segment of the first picture, what was shown before is older than that."""
        first, pts = self._first[1], picture.pts
        into = 0 if first is None or pts is None else max(0, pts - first)
        self.behind_s = self._feed.behind_s(number) - float(into * TIME_BASE)
        self._dated = True

    def _unmet(self, picture: Picture) -> Loss:
        """The marked picture refers to a segment before its own, and so may what came after it."""
        seconds = min(float(self._shown.ticks_after(picture.pts) * TIME_BASE), self._awaited_s)
        frame_s = float((picture.duration or 0) * TIME_BASE)
        frames = max(1, round(seconds / frame_s) - 1) if frame_s else 1
        text = f"a segment cannot be gone on in: {seconds:g} s are missing, about {frames} frames"
        return Loss(frames, text)

    def _fetched(self, segment: Segment) -> Generator[None, None, tuple[bytes, bytes]]:
        """What goes before its bytes, and its bytes; asked for again where that may help."""
        if segment.missing:
            raise SourceError("its server has none")
        began_s, retry = self._clock(), Retry(self._wait)
        while True:
            try:
                head = yield from self._site.head(segment.head)
                body = yield from self._site.fetch(segment.body)
            except SourceError as error:
                late = self._feed.live and self._clock() - began_s >= self._feed.stall_s / 2
                if late or not retry.is_worth(error):
                    raise
                yield
            else:
                return head, body

    def _lose(self, seconds: float, detail: str) -> Iterator[Step]:
        """Footage is missing here: what waits in the decoder comes first."""
        yield from self._placed(self._segments.drain())
        self._untold.append((seconds, detail))
        yield from self._told()
        if self._feed.live and len(self._untold) > HOPELESS:
            raise SourceError(self._untold[0][1], retryable=True)

    def _told(self) -> Iterator[Loss]:
        """Say what is missing once one knows how many pictures a second has."""
        rate = self._segments.rate
        if rate is None:
            return
        untold, self._untold = self._untold, []
        for seconds, detail in untold:
            frames = max(1, round(seconds * rate))
            yield Loss(frames, f"{detail}; {seconds:g} s are missing, about {frames} frames")
