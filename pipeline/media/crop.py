"""Pictures -> the region of them that is looked at, before they are scaled."""

from __future__ import annotations

from dataclasses import replace

import av

from pipeline.media.filters import Filters
from pipeline.media.orientation import Orientation
from pipeline.media.picture import Picture
from pipeline.media.region import Box, Region


class Crop:
    """Of one stream's pictures."""

    def __init__(self, region: Region | None) -> None:
        """`region`: of the pictures as displayed; None: all of them."""
        self._region = region
        self._filters = Filters()

    def __call__(self, picture: Picture) -> Picture:
        """The picture as it goes on to the scaler; it is drawn no sooner. Its name in records'
        identity has the region, because other pixels are seen."""
        if self._region is None:
            return picture
        turn, stored_hw = picture.orientation, picture.size_hw
        stored = _stored(self._region, turn).within(stored_hw)
        left, top, right, bottom = stored
        if (bottom - top, right - left) == stored_hw:
            return picture
        shown = turn.shown(stored, stored_hw)
        return replace(
            picture,
            draw=lambda: self._drawn(picture.frame, stored, stored_hw),
            stored_hw=(bottom - top, right - left),
            preparation=f"{picture.preparation} region {','.join(map(str, shown))}".lstrip(),
            region=shown,
            whole_hw=picture.source_hw,
        )

    def _drawn(
        self, frame: av.VideoFrame, stored: Box, stored_hw: tuple[int, int]
    ) -> av.VideoFrame:
        left, top, right, bottom = stored
        fields = round(stored_hw[0] / frame.height)  # 2 where one of them was taken
        first, rows = top // fields, max(1, (bottom - top) // fields)
        return self._filters(frame, [("crop", f"{right - left}:{rows}:{left}:{first}:exact=1")])


def _stored(region: Region, turn: Orientation) -> Region:
    """The same region of the picture as it is stored."""
    left, top, right, bottom = region.left, region.top, region.right, region.bottom
    if turn.flip_x:
        left, right = 1 - right, 1 - left
    if turn.flip_y:
        top, bottom = 1 - bottom, 1 - top
    return Region(top, left, bottom, right) if turn.transposed else Region(left, top, right, bottom)
