"""What lies nowhere yet is computed, pictures of one size together, and found by its content."""

from __future__ import annotations

from functools import partial

import numpy as np

from pipeline.features.folder import FeatureFolder, compute_missing
from pipeline.features.stored import Part
from pipeline.media.frame_size import FrameSize


def blank(height):
    return np.zeros((height, 14, 3), np.uint8), {"grid": [height // 14, 1]}


def test_pictures_of_one_size_are_seen_together_and_none_twice(tmp_path):
    folder = FeatureFolder(tmp_path, FrameSize(14, 14))
    sizes = [14, 28, 14, 14, 28]
    places = [folder.place({"picture": number}) for number in range(len(sizes))]
    assert len({*places, folder.place({"picture": 0}, 1)}) == 6
    batches = []

    def look(pixels):
        batches.append(pixels.shape[:2])
        return [{"cls": np.full(1, number)} for number in range(len(pixels))]

    wanted = [(place, partial(blank, size)) for place, size in zip(places, sizes, strict=True)]
    assert list(compute_missing(wanted, look, together=2)) == [0, 0, 2, 2, 4, 5]
    assert batches == [(2, 14), (2, 28), (1, 14)]
    assert Part.read(places[4]).facts == {"grid": [2, 1]}
    places[1].unlink()
    assert list(compute_missing(wanted, look, together=2))[-1] == 1
    assert batches[3:] == [(1, 28)]


def test_another_size_lies_elsewhere(tmp_path):
    small, large = (FeatureFolder(tmp_path, FrameSize(side, 14)).place({}) for side in (14, 28))
    assert small != large
