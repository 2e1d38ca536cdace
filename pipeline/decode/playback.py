"""Plays a recording: a spec in, its samples, gaps, faults and end out, from the cursor on.

Deterministic: the same file, spec and cursor give the same items. Knows nothing of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from fractions import Fraction

from pipeline.decode.collector import Item, checksum
from pipeline.decode.track import Track
from pipeline.errors import SourceError
from pipeline.media.opening import open_reel
from pipeline.media.picture import Loss, Picture, Reel, Splice, Step
from pipeline.media.retry import Wait, sleep
from pipeline.media.transfer import Transfer
from pipeline.stream.chunk import Counts, Cursor, End, Fault, Gap
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor, anchor
from pipeline.synthetic.uri import SCHEME

Pictures = Iterator[Step]
SEEK_BACK_S = (0, 2, 10)  # how far before the cursor to look for a key frame, then from the start
OVERSHOOT_S = 2  # a search that is this far past the cursor will not find it


class Playback:
    """One recorded stream, from its cursor to its end."""

    def __init__(self, spec: StreamSpec, wall_us: Callable[[], int], wait: Wait = sleep) -> None:
        """
        Args:
            spec: what to play.
            wall_us: clock of the ingest times, microseconds since the epoch.
            wait: how to wait for a server that wants to be asked again.
        """
        self._spec = spec
        self._wall_us = wall_us
        self._transfer = Transfer(spool_bytes=spec.spool_bytes, wait=wait)
        self._files = (spec.url, *spec.join)
        self._track: Track | None = None
        self._damaged = False

    def items(self) -> Iterator[Item | None]:
        """Everything in order, the End last; None at each step that yields nothing."""
        try:
            yield from self._play()
        except SourceError as error:
            yield self._failed(error)
        else:
            yield self.end("ok")
        finally:
            self._transfer.close()

    def end(self, outcome: str, detail: str = "", *, unfinished: bool = False) -> End:
        """The last entry: `ok` becomes what the losses make of it."""
        counts = self._counts()
        if outcome == "ok" and not counts.decoded:
            outcome, detail = "rejected", "no frame can be decoded"
        elif outcome == "ok" and (counts.lost or self._damaged):
            lost = counts.lost
            outcome, detail = "degraded", f"{lost} frames lost" if lost else "incomplete"
        return End(
            self._spec.stream,
            outcome,
            detail,
            counts.decoded,
            counts.lost,
            unfinished=unfinished,
            sampled=counts.sampled,
        )

    def _counts(self) -> Counts:
        """Frames of the session; those up to the cursor where it could not be found again."""
        track, before = self._track, self._spec.counts
        if track is None or track.decoded < before.decoded:
            return before
        return Counts(track.decoded, track.sampled, track.lost)

    def _failed(self, error: SourceError) -> End:
        """What could be had another day is unfinished: a later run goes on from the last frame. So
        it does where a resume finds nothing that it could go on with: that is not the end of it."""
        resumable = self._spec.cursor and error.retryable
        if not resumable and not (self._track and self._track.decoded):
            return self.end("rejected", str(error))
        return self.end("degraded", str(error), unfinished=error.retryable)

    def _play(self) -> Iterator[Item | None]:
        reel = self._open(self._files[0])
        self._track = track = self._begin(reel)
        cursor = self._spec.cursor
        if cursor is None:
            yield from self._follow(reel, self._pictures(reel), track)
        else:
            path = self._files[cursor["part"]]
            if cursor["part"]:
                reel.close()
                reel = self._open(path)
            reel, pictures = yield from self._resume(reel, path, cursor, track)
            yield from self._follow(reel, pictures, track)
        for path in self._files[track.part + 1 :]:
            if not track.is_over:
                yield from self._play_next(path, track)

    def _play_next(self, path: str, track: Track) -> Iterator[Item | None]:
        track.begin_file()
        try:
            reel = self._open(path)
        except SourceError as error:
            if error.retryable:
                raise
            self._damaged = True
            yield Fault(self._spec.stream, "decode", f"file {track.part + 1}: {error}")
        else:
            yield from self._follow(reel, self._pictures(reel), track)

    def _follow(self, reel: Reel, pictures: Pictures, track: Track) -> Iterator[Item | None]:
        track.rendered = reel.rendered
        try:
            for picture in pictures:
                if isinstance(picture, Picture):
                    yield from track.follow(picture, self._wall_us(), reel.mark())
                    if track.is_over:
                        return
                elif isinstance(picture, Splice):
                    track.splice()
                    yield Gap(self._spec.stream, picture.reason)
                elif isinstance(picture, Loss):
                    self._damaged = True
                    track.lost += picture.frames
                    yield Fault(self._spec.stream, "decode", picture.detail, picture.frames)
                yield None
        finally:
            reel.close()

    def _begin(self, reel: Reel) -> Track:
        track = Track(self._spec, reel.time_base, self._anchor(reel), self._spec.session)
        track.duration_s = None if self._spec.join else reel.duration_s
        return track

    def _anchor(self, reel: Reel) -> Anchor:
        return anchor(self._spec.start_time_us, reel.creation_time_us)

    def _open(self, url: str) -> Reel:
        if url.startswith(SCHEME):
            from pipeline.media.rendered import (
                SceneReel,  # draws with numpy; others need not load it
            )

            return SceneReel(url)
        return open_reel(
            url,
            keyframes=all(rule.mode == "keyframes" for rule in self._spec.samplings),
            max_pixels=self._spec.max_pixels,
            damaged=self._spec.damaged,
            deinterlace=self._spec.deinterlace,
            device=self._spec.decode,
            short_side=self._spec.picture_side,
            timeout_s=self._spec.stall_s * 0.4,  # silence, and then a try of its own
            stall_s=self._spec.stall_s,
            transfer=self._transfer,
        )

    def _pictures(self, reel: Reel) -> Pictures:
        """The reel's pictures in the time base of the stream's first file."""
        assert self._track
        return rescaled(reel.pictures(), reel.time_base, self._track.time_base)

    def _resume(
        self, reel: Reel, path: str, cursor: Cursor, track: Track
    ) -> Generator[None, None, tuple[Reel, Pictures]]:
        """Find the frame of that file the cursor was made at; the pictures go on after it."""
        if cursor["pts"] is not None and (self._is_unique(cursor) or reel.seeks_by_place):
            for back_s in SEEK_BACK_S:
                pictures = yield from self._sought(reel, cursor, track, back_s)
                if pictures is not None:
                    return reel, pictures
            reel.close()
            reel = self._open(path)
        pictures = yield from self._counted(reel, cursor, track)
        return reel, pictures

    def _is_unique(self, cursor: Cursor) -> bool:
        """Its pts comes once in its file."""
        return bool(cursor["position"] == str(cursor["pts"]))

    def _sought(
        self, reel: Reel, cursor: Cursor, track: Track, back_s: int
    ) -> Generator[None, None, Pictures | None]:
        pts: int = cursor["pts"]
        ticks = Fraction(1) / reel.time_base
        base = int(pts * track.time_base * ticks)
        if not reel.seek(base - int(back_s * ticks), cursor["mark"]):
            return None
        pictures = self._pictures(reel)
        first = True
        for picture in pictures:
            yield
            if not isinstance(picture, Picture) or picture.pts is None:
                continue
            if picture.pts == pts and checksum(track.scale(picture)) == cursor["checksum"]:
                track.restore(cursor)
                return pictures
            if picture.pts > pts + (0 if first else int(OVERSHOOT_S * ticks)):
                return None
            first = False
        return None

    def _counted(self, reel: Reel, cursor: Cursor, track: Track) -> Generator[None, None, Pictures]:
        pictures = self._pictures(reel)
        left = cursor["index"]
        for picture in pictures:
            yield
            if not isinstance(picture, Picture):
                continue
            left -= 1
            if left == 0:
                if checksum(track.scale(picture)) != cursor["checksum"]:
                    break
                track.restore(cursor)
                return pictures
        raise SourceError(f"has changed: frame {cursor['position']} is not where it was")


def rescaled(pictures: Pictures, time_base: Fraction, wanted: Fraction) -> Pictures:
    """Pictures with their times in another time base (files that are joined may differ)."""
    if time_base == wanted:
        yield from pictures
        return
    ratio = time_base / wanted
    for picture in pictures:
        if not isinstance(picture, Picture):
            yield picture
            continue
        pts, duration = picture.pts, picture.duration
        yield replace(
            picture,
            pts=None if pts is None else int(pts * ratio // 1),
            duration=None if duration is None else int(duration * ratio // 1),
        )
