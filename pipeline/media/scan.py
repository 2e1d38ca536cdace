"""Reads a file's packets without decoding them, to know whether key frames may be decoded alone."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction

import av
from av.packet import Packet
from av.video.stream import VideoStream

from pipeline.media.container import open_video
from pipeline.media.follow import Turn, followed
from pipeline.media.picture import Loss

REORDERING_S = 1  # timestamps that run back further may be another clock (pipeline.stream.timeline)


def timestamps_are_plain(path: str, max_pixels: int) -> Generator[None, None, bool]:
    """Whether each key frame gets the same position and event time with and without the others.

    Costs one pass over the file, without decoding; yields at each packet.
    """
    opened = open_video(path, max_pixels=max_pixels, timeout_s=0)
    own = opened.stream.time_base
    plain = _Plain(Fraction(own.numerator, own.denominator) if own else Fraction(1))
    try:
        for packet in followed(opened):
            yield
            if isinstance(packet, Turn | Loss):
                return False
            if packet is not None and packet.size and not plain.goes_on(packet):
                return False
    except (av.FFmpegError, OSError):
        return False
    finally:
        opened.container.close()
    return True


class _Plain:
    """All begins with a key frame, every packet has a pts of its own, none goes back far, none is
    cut away by an edit list, and none before a key frame has a later pts."""

    def __init__(self, time_base: Fraction) -> None:
        self._back = int(REORDERING_S / time_base)
        self._seen: set[int] = set()
        self._first = self._top = 0

    def goes_on(self, packet: Packet[VideoStream]) -> bool:
        pts = packet.pts
        if pts is None or pts in self._seen or packet.is_discard:
            return False
        if not self._seen:
            self._first = self._top = pts
            self._seen.add(pts)
            return packet.is_keyframe
        self._seen.add(pts)
        lowest = self._top if packet.is_keyframe else max(self._first, self._top - self._back)
        self._top = max(self._top, pts)
        return pts >= lowest
