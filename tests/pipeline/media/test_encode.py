"""Clips we write ourselves come back as they were, as far as the codec allows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pipeline.media.encode import write_clip
from pipeline.media.frame_size import FrameSize
from pipeline.media.scaler import Scaler


def frames(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    base = np.repeat(np.repeat(rng.integers(0, 255, (7, 10, 3)), 16, 0), 16, 1).astype(np.uint8)
    return [np.roll(base, 2 * index, axis=1) for index in range(count)]


def test_frames_times_and_colours_survive(clips, tmp_path: Path) -> None:
    path, sent = tmp_path / "clip.mp4", frames(12)
    assert write_clip(path, iter(sent), fps=30) == 12
    found = clips.pictures(path)
    assert len(found) == 12
    assert [picture.pts for picture in found] == sorted(picture.pts for picture in found)
    for picture, pixels in zip(found, sent, strict=True):
        assert picture.source_hw == (112, 160)
        assert np.abs(Scaler(FrameSize(112, 14))(picture).mean() - pixels.mean()) < 3


def test_one_colour_comes_back(clips, tmp_path: Path) -> None:
    flat = np.full((112, 112, 3), (200, 40, 90), np.uint8)
    write_clip(tmp_path / "flat.mp4", [flat] * 3, fps=Fraction(30_000, 1001))
    pixels = Scaler(FrameSize(112, 14))(clips.pictures(tmp_path / "flat.mp4")[1])
    assert np.abs(pixels.astype(int) - (200, 40, 90)).max() <= 3


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ([], "at least one frame"),
        ([np.zeros((113, 112, 3), np.uint8)], "even height and width"),
        ([np.zeros((112, 112, 3), np.uint8), np.zeros((112, 114, 3), np.uint8)], "frame 1 is"),
    ],
)
def test_what_cannot_be_encoded_leaves_no_file(tmp_path: Path, bad, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        write_clip(tmp_path / "clip.mp4", bad, fps=30)
    assert list(tmp_path.iterdir()) == []
