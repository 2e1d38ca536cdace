"""Reads a file's packets without decoding them, to know whether key frames may be decoded alone."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction

import av

from pipeline.media.container import open_video

REORDERING_S = 1  # timestamps that run back further may be another clock (pipeline.timeline)


def timestamps_are_plain(path: str, max_pixels: int) -> Generator[None, None, bool]:
    """Whether each key frame gets the same position and event time with and without the others.

    So it is where every packet has a pts of its own, none goes back far, and no packet before a
    key frame has a later one. Costs one pass over the file, without decoding; yields at each
    packet.
    """
    opened = open_video(path, max_pixels=max_pixels, timeout_s=0)
    stream = opened.stream
    back = REORDERING_S / (stream.time_base or Fraction(1))
    seen: set[int] = set()
    top: int | None = None
    try:
        for packet in opened.container.demux(stream):
            yield
            if not packet.size:
                continue
            pts = packet.pts
            if pts is None or pts in seen:
                return False
            if top is not None and (pts < top - back or (packet.is_keyframe and pts < top)):
                return False
            seen.add(pts)
            top = pts if top is None else max(top, pts)
    except (av.FFmpegError, OSError):
        return False
    finally:
        opened.container.close()
    return True
