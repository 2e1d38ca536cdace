"""Pictures of any format and size come down to the same cells."""

import av
import numpy as np
import pytest

from pipeline.media.miniature import COLUMNS, ROWS, Miniature
from pipeline.media.picture import Picture

SMOOTH_LEVELS = 2  # what rounding of colours may change of a smooth picture


def smooth(height, width):
    """RGB that changes from side to side."""
    down, across = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    levels = np.stack([40 + 160 * down, 40 + 160 * across, 200 - 100 * down * across], axis=2)
    return levels.astype(np.uint8)


def cells(pixels, name="yuv420p"):
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=name)
    return Miniature()(Picture.of(frame))


def test_cells_are_the_means_of_what_lies_in_them():
    """Where each cell is of one colour, whichever of its pixels are read."""
    draw = np.random.default_rng(1)
    luma = draw.integers(16, 235, (ROWS, COLUMNS), np.uint8)
    chroma = draw.integers(16, 240, (2, ROWS, COLUMNS), np.uint8)
    planes = [np.kron(plane, np.ones((side, side), np.uint8)) for plane, side in
              ((luma, 8), (chroma[0], 4), (chroma[1], 4))]  # fmt: skip
    stacked = np.concatenate([plane.reshape(-1, COLUMNS * 8) for plane in planes])
    frame = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
    assert (Miniature()(Picture.of(frame)) == np.stack([luma, *chroma])).all()


@pytest.mark.parametrize("name", ["yuv422p", "yuv444p", "nv12", "yuv420p10le", "rgb24", "gbrp"])
def test_every_format_gives_about_the_same(name):
    pixels = smooth(180, 320)
    apart = np.abs(cells(pixels, name).astype(int) - cells(pixels))
    assert apart.max() <= SMOOTH_LEVELS


@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (64, 48), (16, 16), (182, 322)])
def test_a_size_is_no_matter(height, width):
    found = cells(smooth(height, width))
    assert found.shape == (3, ROWS, COLUMNS)
    usual = cells(smooth(540, 960))
    assert np.abs(found.astype(int) - usual).mean() <= 8 * 54 / min(height, 54)


def test_a_line_that_is_longer_than_the_picture_is_wide_is_no_matter():
    wide = smooth(90, 162)  # libav pads its lines to 32 bytes
    frame = av.VideoFrame.from_ndarray(wide, format="rgb24").reformat(format="yuv420p")
    assert frame.planes[0].line_size > frame.width
    luma = frame.to_ndarray()[:90]
    found = Miniature()(Picture.of(frame))[0]
    assert np.abs(found.astype(int).mean() - luma.mean()) <= 1
