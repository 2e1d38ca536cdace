"""Light and colour change as Pillow, colorsys and scipy change them, but for their rounding."""

import colorsys

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from scipy.ndimage import gaussian_filter1d

from operators.errors import UsageError
from operators.pretrain.dice import Dice
from operators.pretrain.photometrics import (
    Photometrics,
    blurred,
    brightened,
    contrasted,
    saturated,
    solarised,
    turned,
    varied,
)

LEVELS = np.random.default_rng(0).integers(0, 256, (23, 31, 3)).astype(np.uint8)
PILLOW = Image.fromarray(LEVELS)
STILL = Photometrics(jitter=0, grey=0, solarise=0)


@pytest.fixture
def pixels():
    return torch.from_numpy(LEVELS).permute(2, 0, 1).float()


def largest_difference(got, wanted):
    return np.abs(got.permute(1, 2, 0).numpy().astype(float) - np.asarray(wanted, float)).max()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (brightened, ImageEnhance.Brightness),
        (contrasted, ImageEnhance.Contrast),
        (saturated, ImageEnhance.Color),
    ],
)
@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.4])
def test_strengths_are_those_of_pillow(pixels, ours, theirs, factor):
    """Pillow cuts off what is behind the point."""
    assert largest_difference(ours(pixels, factor), theirs(PILLOW).enhance(factor)) < 2


def test_bright_levels_are_turned_over_as_by_pillow(pixels):
    assert largest_difference(solarised(pixels), ImageOps.solarize(PILLOW, 128)) == 0


@pytest.mark.parametrize("circles", [-0.1, 0.04, 0.5, 1 / 3])
def test_hues_are_turned_as_by_colorsys(pixels, circles):
    wanted = np.empty(LEVELS.shape)
    for place in np.ndindex(LEVELS.shape[:2]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(LEVELS[place] / 255))
        wanted[place] = np.multiply(
            255, colorsys.hsv_to_rgb((hue + circles) % 1, saturation, value)
        )
    assert largest_difference(turned(pixels, circles), wanted) < 1e-3


def test_a_third_of_a_circle_makes_red_green(pixels):
    assert torch.allclose(turned(pixels, 1 / 3), pixels[[2, 0, 1]], atol=1e-3)
    assert torch.allclose(turned(pixels, 0.0), pixels, atol=1e-4)


def test_what_has_no_colour_gets_none():
    grey = torch.arange(256.0).view(1, 16, 16).expand(3, 16, 16)
    assert torch.equal(turned(grey, 0.1), grey)
    assert torch.allclose(saturated(grey, 1.2), grey, atol=1e-3)


@pytest.mark.parametrize("sigma_px", [0.1, 0.7, 2.0])
def test_blur_is_the_gaussian_of_scipy(pixels, sigma_px):
    wanted = pixels.numpy().astype(float)
    for axis in (1, 2):
        wanted = gaussian_filter1d(wanted, sigma_px, axis=axis, mode="mirror", radius=4)
    assert np.abs(blurred(pixels, sigma_px).numpy() - wanted).max() < 1e-3


def test_the_contrast_of_large_pictures_is_the_same_on_any_number_of_threads():
    large = torch.rand(3, 400, 400, generator=torch.Generator().manual_seed(0)) * 255
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(contrasted(large, 0.7))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(found[0], one) for one in found)


def test_what_has_no_chance_changes_nothing(pixels):
    dice = Dice(torch.Generator().manual_seed(0))
    assert torch.equal(varied(pixels, STILL, dice, blur=0, solarise=0), pixels)


def test_everything_happens_as_often_as_asked(pixels):
    dice = Dice(torch.Generator().manual_seed(0))
    for changes, chances in (
        (Photometrics(jitter=0.3, grey=0), {"blur": 0, "solarise": 0}),
        (Photometrics(jitter=0, grey=0.3), {"blur": 0, "solarise": 0}),
        (STILL, {"blur": 0.3, "solarise": 0}),
        (STILL, {"blur": 0, "solarise": 0.3}),
    ):
        same = [torch.equal(varied(pixels, changes, dice, **chances), pixels) for _ in range(400)]
        assert 85 < same.count(False) < 155


def test_levels_stay_on_their_scale(pixels):
    dice = Dice(torch.Generator().manual_seed(0))
    wild = Photometrics(1.0, 1.0, 1.0, 1.0, 0.5, grey=0.0)
    for _ in range(200):
        got = varied(pixels, wild, dice, blur=0.5, solarise=0.5)
        assert float(got.min()) >= -1e-3
        assert float(got.max()) <= 255 + 1e-3


@pytest.mark.parametrize("wrong", [{"hue": 0.6}, {"jitter": 1.1}, {"contrast": -0.1}])
def test_wrong_strengths_are_refused_by_name(wrong):
    with pytest.raises(UsageError, match=rf"{next(iter(wrong))} of crops must lie from 0 to"):
        Photometrics(**wrong)
