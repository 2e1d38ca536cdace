"""Decoding as a script would do it, which is what the benchmark measures ours against.

A path in -> the sampled frames as pictures out. No guards: not for footage from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

import av
from PIL import Image


def plain_frames(path: str, fps: float) -> Iterator[tuple[int, Image.Image]]:
    """Frames where floor(time x fps) rises, at full size.

    Args:
        path: a file with pts that start at 0.
        fps: frames per second of footage.

    Yields:
        pts in the stream's own ticks, and the RGB picture.
    """
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate, taken = Fraction(fps), -1
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.time_base
            period = floor(frame.pts * frame.time_base * rate)
            if period > taken:
                taken = period
                yield frame.pts, Image.fromarray(frame.to_ndarray(format="rgb24"))
