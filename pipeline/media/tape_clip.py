"""Cuts a film out of one session of a tape: the packets as they came, from a key frame on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.video.stream import VideoStream

from operators.errors import UsageError
from pipeline.errors import SourceError
from pipeline.media.container import open_video
from pipeline.media.failure import describe
from pipeline.media.film_clock import FilmClock
from pipeline.media.tape import CAME, DTS, FLAGS, KEY, PTS, SIZE, Segment
from pipeline.media.tape_reel import OPEN_S

MAX_PIXELS = 1 << 28  # of a film of ours, which was held to a limit when it was taped


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packets of one segment.

    Attributes:
        first, behind: numbers of its packets, from 0, half-open.
        lines: theirs in the journal.
    """

    segment: Segment
    first: int
    behind: int
    lines: Sequence[list[Any]]

    @property
    def first_us(self) -> int:
        """When its first packet came, microseconds since the epoch."""
        return int(self.lines[0][CAME])

    @property
    def last_us(self) -> int:
        """When its last one did."""
        return int(self.lines[-1][CAME])


@dataclass(frozen=True, slots=True)
class Cut:
    """A clip: when its first and its last packet came, microseconds since the epoch."""

    first_us: int
    last_us: int
    packets: int


def stretches(segments: Sequence[Segment], from_us: int, to_us: int) -> list[Stretch]:
    """Which packets of a session came within a time, and before it back to a key frame.

    Args:
        segments: of the session.
        from_us: microseconds since the epoch.
        to_us: inclusive.
    """
    found: list[Stretch] = []
    for segment in segments:
        lines = [line for line in segment.lines() if isinstance(line, list)]
        first = 0
        for number, line in enumerate(lines):
            if line[FLAGS] & KEY and line[CAME] <= from_us:
                found, first = [], number
        behind = sum(line[CAME] <= to_us for line in lines)
        if behind > first:
            found.append(Stretch(segment, first, behind, lines[first:behind]))
    return found


def cut(found: Sequence[Stretch], path: Path) -> Cut:
    """Write them to a file, in the container that its name says.

    Args:
        found: at least one.
        path: an existing file is replaced, and none is left behind by a failure.

    Raises:
        UsageError: no container is called so, or it does not take this video.
        SourceError: the tape cannot be read.
    """
    part = path.with_name(f".part-{path.name}")
    try:
        packets = _write(found, part)
        part.replace(path)
    except (av.FFmpegError, ValueError) as error:
        why = describe(error) if isinstance(error, av.FFmpegError) else str(error)
        raise UsageError(f"{path}: {why}; .mkv takes every video, .mp4 most") from None
    finally:
        part.unlink(missing_ok=True)
    return Cut(found[0].first_us, found[-1].last_us, packets)


def _write(found: Sequence[Stretch], path: Path) -> int:
    header = found[0].segment.header()
    base = Fraction(header.time_base)
    clock, count = FilmClock(base), 0
    with av.open(str(path), "w") as container:
        out = None
        for stretch in found:
            opened = open_video(str(stretch.segment.film), max_pixels=MAX_PIXELS, timeout_s=OPEN_S)
            with closing(opened):
                if out is None:
                    out = container.add_stream_from_template(opened.stream, opaque=True)
                for packet, line in _packets(opened.container.demux(opened.stream), stretch):
                    copy = av.Packet(bytes(packet))
                    copy.pts, copy.dts = clock.place(line[PTS], line[DTS])
                    copy.time_base, copy.stream = base, out
                    copy.is_keyframe = bool(line[FLAGS] & KEY)
                    container.mux(copy)
                    count += 1
    return count


def _packets(
    film: Iterator[Packet[VideoStream]], stretch: Stretch
) -> Iterator[tuple[Packet[VideoStream], list[Any]]]:
    """Each with its line."""
    whole = (packet for packet in film if packet.size)
    some = islice(whole, stretch.first, stretch.behind)
    for packet, line in zip(some, stretch.lines, strict=False):
        if packet.size != line[SIZE]:
            raise SourceError(f"{stretch.segment.film.name} is not what its journal says")
        yield packet, line
