"""Decoded pictures, as small as is enough to see whether the next one shows something else.

A few pixels of each cell are read where they lie, so that it costs the same at any size; whole
numbers only, so that every processor gives the same.
"""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from pipeline.media.picture import Picture

ROWS, COLUMNS = 27, 48
_LUMA, _CHROMA = (2, 4), (1, 2)  # pixels of a cell that are read: down, across
_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})
_FILTER = Interpolation.BILINEAR | Interpolation.BITEXACT | Interpolation.ACCURATE_RND

Plane = NDArray[np.uint8]


class Miniature:
    """Of one stream's pictures, as they are stored: whoever compares two need not turn them."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._places: dict[tuple[int, ...], NDArray[np.intp]] = {}  # by the layout of a plane

    def __call__(self, picture: Picture) -> NDArray[np.uint8]:
        """Mean luma, blue and red difference of its cells, uint8 `[3, 27, 48]`."""
        frame = picture.frame
        if frame.format.name not in _PLANAR or frame.planes[0].line_size <= 0:
            frame = self._reformatter.reformat(frame, format="yuv420p", interpolation=_FILTER)
        samples = (_LUMA, _CHROMA, _CHROMA)
        planes = [self._cells(*one) for one in zip(frame.planes, samples, strict=True)]
        return np.stack(planes)

    def _cells(self, plane: av.video.plane.VideoPlane, sampled: tuple[int, int]) -> Plane:
        down, across = sampled
        layout = (plane.height, plane.width, plane.line_size, down, across)
        if layout not in self._places:
            self._places[layout] = _places(*layout)
        pixels = np.frombuffer(memoryview(plane), np.uint8).take(self._places[layout])
        sums = pixels.reshape(down * across, ROWS * COLUMNS).sum(axis=0, dtype=np.uint16)
        cells: Plane = (sums // (down * across)).astype(np.uint8).reshape(ROWS, COLUMNS)
        return cells


def _places(height: int, width: int, line: int, down: int, across: int) -> NDArray[np.intp]:
    """Where in a plane's bytes the pixels lie, one of each cell after the other."""
    rows, columns = _spread(height, ROWS * down), _spread(width, COLUMNS * across)
    places = (rows[:, None] * line + columns).reshape(ROWS, down, COLUMNS, across)
    return places.transpose(1, 3, 0, 2).ravel()


def _spread(side: int, count: int) -> NDArray[np.intp]:
    """So many pixels of a side, as far from each other as they can be."""
    return (2 * np.arange(count) + 1) * side // (2 * count)
