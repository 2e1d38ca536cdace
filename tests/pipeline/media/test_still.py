"""A picture of any size and kind is read upright, and no larger than a bound."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from pipeline.errors import SourceError
from pipeline.media.still import read_bounded


def waves(width, height):
    down, across = np.mgrid[:height, :width]
    levels = 128 + 100 * np.sin(across / 60) * np.cos(down / 45)
    return Image.fromarray(np.stack([levels, levels[:, ::-1], 255 - levels], 2).astype(np.uint8))


def data_of(image, form, **more):
    data = io.BytesIO()
    image.save(data, form, **more)
    return data.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_large_pictures_are_scaled_to_the_bound(form):
    image = waves(1000, 600)
    pixels = read_bounded(data_of(image, form), "wide", 200)
    assert pixels.shape == (120, 200, 3)
    wanted = np.asarray(image.resize((200, 120), Image.Resampling.BICUBIC))
    assert np.abs(pixels.astype(int) - wanted).mean() < 2


def test_small_ones_stay_as_they_are():
    image = waves(90, 160)
    pixels = read_bounded(data_of(image, "PNG"), "small", 200)
    assert np.array_equal(pixels, np.asarray(image))
    pixels[0, 0] = 7  # it is the caller's own


def test_a_turned_picture_is_upright():
    image = waves(300, 200)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    pixels = read_bounded(data_of(image, "JPEG", exif=exif), "turned", 150)
    assert pixels.shape == (150, 100, 3)
    upright = read_bounded(data_of(image, "JPEG"), "upright", 150)
    assert np.array_equal(pixels, np.rot90(upright, -1))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "LA"])
def test_whatever_its_mode_it_becomes_rgb(mode):
    assert read_bounded(data_of(waves(80, 60).convert(mode), "PNG"), mode, 40).shape == (30, 40, 3)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_what_is_torn_is_named(form, share):
    data = data_of(waves(80, 60), form)
    with pytest.raises(SourceError, match=r"torn\.img: cannot be read as a picture"):
        read_bounded(data[: round(share * len(data))], "torn.img", 100)
