"""Plays the files of a recorder as one stream: docs/decisions/footage.md.

One file is open at a time; the cursor says which, and what the records so far depend on.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction

from operators.frames import FrameInfo
from operators.moment import rfc3339
from pipeline.decode.collector import Item
from pipeline.decode.playback import Playback
from pipeline.decode.track import Glimpse, Sample, Track
from pipeline.errors import SourceError
from pipeline.media.picture import Reel
from pipeline.media.retry import Wait, sleep
from pipeline.media.site import is_remote
from pipeline.media.transfer import recording_session
from pipeline.stream.chunk import Cursor, End, Fault, Gap
from pipeline.stream.joint import Joint
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor

QUIET_S = 10  # without a byte: nobody writes the last file any more
_LOOK_S = 1.0  # until it is looked at again
_MICROSECOND = Fraction(1, 1_000_000)
_DIGITS = 9  # of a position, that tell of all files so far


@dataclass(frozen=True, slots=True)
class Link:
    """A file of the chain; JSON values, which go into cursors.

    Attributes:
        name: as the layout speaks of it.
        named_us: when it begins by its name, microseconds since the epoch.
        began_us: event time of its first frame.
        since_us: event time of the chain's first frame.
        digest: of the times and contents of all files up to this one, and of the gaps between, hex.
        before: how many files lie before it.
        names: hash of their names and its own, hex.
        unread: how many of them could not be read.
        offset: of its positions to its timestamps, microseconds; None before the first.
    """

    name: str
    named_us: int
    began_us: int
    since_us: int
    digest: str
    before: int
    names: str
    unread: int
    offset: int | None = None


class Chained(Playback):
    """One chain, from its cursor to its end, which is never its last: it may grow."""

    def __init__(self, spec: StreamSpec, wall_us: Callable[[], int], wait: Wait = sleep) -> None:
        """As of `Playback`; the spec has a layout."""
        super().__init__(spec, wall_us, wait)
        assert spec.layout
        self._layout = spec.layout
        self._wait = wait
        self._link: Link | None = None  # that is played, or was played last
        self._number = 0  # of the file that is played
        self._names = ""  # hash of the names so far
        self._unread = 0
        self._broken = False  # since the last frame, a file could not be read

    def items(self) -> Iterator[Item | None]:
        """Everything in order, the End last; None at each step that yields nothing."""
        for item in super().items():
            if isinstance(item, Sample):
                yield self._placed(item)
            elif isinstance(item, Glimpse):
                yield replace(item, info=self._told(item.info))
            else:
                yield item

    def end(self, outcome: str, detail: str = "", *, unfinished: bool = False) -> End:
        """The last entry; more files may come another day."""
        end = super().end(outcome, detail, unfinished=True)
        if end.outcome == "degraded" and not detail and self._unread:
            told = f"files that could not be read: {self._unread}; frames lost: {end.lost}"
            return replace(end, detail=told)
        return end

    def _placed(self, sample: Sample) -> Sample:
        assert self._link
        if self._link.offset is None:
            self._link = replace(self._link, offset=sample.cursor["timeline"]["offset"])
        return replace(
            sample,
            info=self._told(sample.info),
            cursor={**sample.cursor, "file": asdict(self._link)},
            share=self._number / len(self._files),
        )

    def _told(self, info: FrameInfo) -> FrameInfo:
        """Its position tells of all that the frame's records may depend on."""
        assert self._link
        position, plus, later = info.position.partition("+")
        told = str(int(self._link.digest, 16) % 10**_DIGITS).zfill(_DIGITS)
        return replace(info, position=f"{position}{told}{plus}{later}")

    def _is_unique(self, cursor: Cursor) -> bool:
        same_clock = cursor["timeline"]["offset"] == cursor["file"]["offset"]
        return same_clock and "+" not in cursor["position"]

    def _play(self) -> Iterator[Item | None]:
        cursor = self._spec.cursor
        first = 0 if cursor is None else (yield from self._go_on(cursor, Link(**cursor["file"])))
        for number in range(first, len(self._files)):
            self._step_to(number)
            yield from self._play_file(self._files[number])

    def _step_to(self, number: int) -> None:
        self._number = number
        name = self._layout.name_of(self._files[number])
        self._names = _hashed(self._names, os.fsencode(name))

    def _go_on(self, cursor: Cursor, link: Link) -> Generator[Item | None, None, int]:
        """Play the rest of the cursor's file; the number of the next one."""
        number = bisect_left(self._files, link.named_us, key=self._named_us)
        is_there = (
            number < len(self._files) and self._layout.name_of(self._files[number]) == link.name
        )
        for each in range(number + is_there):
            self._step_to(each)
        self._unread, self._link = link.unread, link
        self._damaged = link.unread > 0
        self._track = track = self._begin_at(link.since_us)
        if is_there and self._names != link.names:
            self._damaged |= number > link.before
            yield self._fault(
                f"files before {link.name}: {number} now, {link.before} when it was played; what "
                "is new among them is not read (--fresh plays all)"
            )
        if not is_there:
            track.restore(cursor)
            self._broken = True
            yield self._lacking(f"{link.name} is gone; how much was left of it is not known")
            return number
        self._link = replace(link, before=number, names=self._names)
        path = self._files[number]
        try:
            reel, pictures = yield from self._resume(self._open(path), path, cursor, track)
            yield from self._follow(reel, pictures, track)
        except SourceError as error:
            told = f"{link.name}: {error}"
            if error.retryable:
                raise SourceError(told, retryable=True) from None
            if not track.decoded:  # the cursor's frame was not found
                track.restore(cursor)
            yield self._unreadable(told)
        return number + 1

    def _play_file(self, path: str) -> Iterator[Item | None]:
        name = self._layout.name_of(path)
        if self._number + 1 == len(self._files) and not (yield from self._is_written(path)):
            yield self._fault(f"{name} is still being written; the next run plays it")
            return
        before, decoded = self._link, self._track.decoded if self._track else 0
        try:
            content = recording_session(path, self._transfer)
            yield from self._play_opened(name, path, self._open(path), content)
        except SourceError as error:
            if error.retryable:
                raise
            yield self._unreadable(f"{name}: {error}")
        if self._track and self._track.decoded == decoded and self._link != before:
            self._link = before
            yield self._unreadable(f"{name}: no frame can be decoded")

    def _play_opened(self, name: str, path: str, reel: Reel, content: str) -> Iterator[Item | None]:
        before, track, gap = self._link, self._track, False
        began_us = since_us = named_us = self._named_us(path)
        if before is None or track is None:
            self._track = track = self._begin_at(since_us)
        else:
            joint = self._joint(track, before, named_us)
            if joint.is_overlap:
                reel.close()
                raise _overlap(before.name, name, joint)
            began_us, since_us = joint.at_us, before.since_us
            gap = joint.is_hole or self._broken
            track.begin_file(began_us)
        if gap:
            yield Gap(self._spec.stream, "gap")
        digest = before.digest if before else self._read_as
        digest = _hashed(digest, f"{named_us} {gap} {content}".encode())
        facts = (digest, self._number, self._names, self._unread)
        self._link, self._broken = Link(name, named_us, began_us, since_us, *facts), False
        yield from self._follow(reel, self._pictures(reel), track)

    @property
    def _read_as(self) -> str:
        """Where only key frames are decoded, a file's end is known less well, and so are times."""
        alone = all(rule.mode == "keyframes" for rule in self._spec.samplings)
        return "keyframes" if alone else ""

    def _joint(self, track: Track, before: Link, named_us: int) -> Joint:
        length_us = track.end_us - before.began_us
        ended_us = before.named_us + length_us
        return Joint(ended_us, named_us, track.end_us, self._layout.resolution_us)

    def _is_written(self, path: str) -> Generator[None, None, bool]:
        """Whether nobody writes the last file any more: looked at until it has been quiet for long
        enough. Its date alone does not tell: another machine's clock may have made it. Objects come
        whole."""
        if is_remote(path):
            return True
        try:
            found = os.stat(path)
            quiet_s = self._wall_us() / 1_000_000 - found.st_mtime
            while quiet_s < QUIET_S:
                quiet_s = max(quiet_s, 0.0) + _LOOK_S
                self._wait(_LOOK_S)
                yield None
                if os.stat(path).st_size != found.st_size:
                    return False
        except OSError:
            pass  # which is told when it is opened
        return True

    def _begin_at(self, since_us: int) -> Track:
        anchor = Anchor(since_us, "start-time")
        return Track(self._spec, _MICROSECOND, anchor, self._spec.session)

    def _named_us(self, path: str) -> int:
        named = self._layout.read(self._layout.name_of(path))
        assert named, f"{path} was listed by another layout"
        return named.start_us

    def _unreadable(self, detail: str) -> Fault:
        self._unread += 1
        self._broken = True
        return self._lacking(detail)

    def _lacking(self, detail: str) -> Fault:
        self._damaged = True
        return self._fault(detail)

    def _fault(self, detail: str) -> Fault:
        return Fault(self._spec.stream, "decode", detail)


def _overlap(before: str, name: str, joint: Joint) -> SourceError:
    over_s = (joint.ended_us - joint.named_us) / 1_000_000
    return SourceError(
        f"{before} goes on until {rfc3339(joint.ended_us)}, and {name} begins at "
        f"{rfc3339(joint.named_us)}: they overlap by {over_s:.1f} s; take one of them away",
        retryable=True,
    )


def _hashed(before: str, more: bytes) -> str:
    return hashlib.sha256(before.encode() + b"\0" + more).hexdigest()[:16]
