"""Pixels -> JPEG: its size, and which part of the picture it shows."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pipeline.view.picture import jpeg


def quarters(height, width):
    """Red, green, blue and white, from the upper left on."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2, 0] = 255
    pixels[: height // 2, width // 2 :, 1] = 255
    pixels[height // 2 :, : width // 2, 2] = 255
    pixels[height // 2 :, width // 2 :] = 255
    return pixels


def shown(*given, **more):
    return Image.open(BytesIO(jpeg(*given, **more)))


@pytest.mark.parametrize(
    ("source_hw", "side", "region", "size"),
    [
        ((360, 640), 180, None, (320, 180)),
        ((360, 640), 1080, None, (640, 360)),
        ((180, 320), 1080, None, (320, 180)),
        ((640, 360), 180, None, (320, 180)),
        ((360, 640), 1080, (320, 0, 640, 180), (320, 180)),
        ((360, 640), 90, (320, 0, 640, 180), (160, 90)),
        ((360, 640), 90, (8, 0, 12, 360), (4, 360)),
    ],
)
def test_it_is_as_large_as_is_asked_for_and_never_larger_than_the_source(
    source_hw, side, region, size
) -> None:
    assert shown(quarters(360, 640), source_hw, side=side, region=region).size == size


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_region_is_cut_out_of_a_picture_of_any_size(scale) -> None:
    pixels = quarters(36 * scale, 64 * scale)
    image = shown(pixels, (360, 640), side=1080, region=(328, 8, 632, 172))
    assert np.allclose(np.asarray(image), (0, 255, 0), atol=3)
