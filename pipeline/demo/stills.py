"""Pixels of a few sampled frames, decoded once more, in a child process as ever."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.decode.once import decoded
from pipeline.stream.chunk import Frames
from pipeline.stream.spec import StreamSpec


def read_stills(
    spec: StreamSpec, positions: Iterable[str], *, short_side: int
) -> dict[str, NDArray[np.uint8]]:
    """Frames by position; those that cannot be decoded any more are absent.

    Args:
        spec: the stream as it was replayed, so that the same frames have the same positions.
        positions: which frames.
        short_side: of the pictures, pixels; rounded to multiples of the stream's patch.

    Returns:
        position -> RGB uint8 `[H, W, 3]`.
    """
    wanted = set(positions)
    found: dict[str, NDArray[np.uint8]] = {}
    for entry in decoded(replace(spec, short_side=short_side)):
        if isinstance(entry, Frames):
            for info, pixels in zip(entry.infos, entry.pixels, strict=True):
                if info.position in wanted:
                    found[info.position] = pixels.copy()
        if len(found) == len(wanted):
            break
    return found
