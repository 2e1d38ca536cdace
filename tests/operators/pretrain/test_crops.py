"""Crops are what Pillow cuts out and scales, drawn by the generator alone."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from operators.errors import UsageError
from operators.pretrain.crop_box import draw_box
from operators.pretrain.crops import CropRecipe, Crops, draw_crops
from operators.pretrain.dice import Dice
from operators.pretrain.photometrics import Photometrics

STILL = Photometrics(jitter=0, grey=0, solarise=0)
SMALL = CropRecipe(global_px=56, local_px=28, local_count=3)
PLAIN = CropRecipe(
    global_px=56, local_px=28, local_count=3, mirror=0, photometrics=STILL, blur="published"
)


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def picture():
    """Waves of every length, and noise."""
    down, across = np.mgrid[:180, :240]
    waves = [128 + 100 * np.sin(across / (2 + down / size)) for size in (5, 9, 20)]
    noise = np.random.default_rng(0).integers(-20, 20, (180, 240, 3))
    return torch.from_numpy((np.stack(waves, 2) + noise).clip(0, 255).astype(np.uint8))


def digest(crops):
    both = (crops.globals.numpy().tobytes(), crops.locals.numpy().tobytes())
    return hashlib.sha256(b"".join(both)).hexdigest()


def test_crops_have_the_sizes_asked_for(picture):
    crops = draw_crops(picture, SMALL, draw())
    assert (crops.globals.dtype, crops.locals.dtype) == (torch.uint8, torch.uint8)
    assert crops.globals.shape == (2, 3, 56, 56)
    assert crops.locals.shape == (3, 3, 28, 28)
    assert not torch.equal(crops.globals[0], crops.globals[1])


def test_no_small_crops_are_none(picture):
    crops = draw_crops(picture, CropRecipe(56, 28, 0), draw())
    assert crops.locals.shape == (0, 3, 28, 28)
    batch = Crops.of_batch([crops] * 5)
    assert (batch.globals.shape, batch.locals.shape) == ((2, 5, 3, 56, 56), (0, 5, 3, 28, 28))


def test_the_generator_decides_all(picture):
    assert digest(draw_crops(picture, SMALL, draw(1))) == digest(
        draw_crops(picture, SMALL, draw(1))
    )
    assert len({digest(draw_crops(picture, SMALL, draw(seed))) for seed in range(20)}) == 20


def test_the_number_of_threads_changes_no_byte(picture):
    large = picture.repeat(4, 3, 1)
    recipe = CropRecipe(224, 98, 2)
    threads, found = torch.get_num_threads(), set()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.add(digest(draw_crops(large, recipe, draw(4))))
    finally:
        torch.set_num_threads(threads)
    assert len(found) == 1


def test_where_a_picture_lies_in_memory_changes_no_byte(picture):
    mirrored = picture.flip(0)
    upside_down = torch.from_numpy(np.ascontiguousarray(picture.numpy()[::-1]))
    assert digest(draw_crops(mirrored, SMALL, draw())) == digest(
        draw_crops(upside_down, SMALL, draw())
    )


def test_a_crop_is_what_pillow_cuts_out_and_scales(picture):
    dice = Dice(draw(7))
    box = draw_box((180, 240), PLAIN.global_shares, dice)
    crops = draw_crops(picture, PLAIN, draw(7))
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    part = Image.fromarray(picture.numpy()).crop(edges)
    wanted = np.asarray(part.resize((56, 56), Image.Resampling.BICUBIC)).astype(int)
    got = crops.globals[0].permute(1, 2, 0).numpy().astype(int)
    assert np.abs(got - wanted).max() <= 1


def test_mirrored_crops_are_the_others_mirrored(picture):
    never, always = (
        CropRecipe(56, 28, 2, mirror=mirror, photometrics=STILL, blur="published")
        for mirror in (0, 1)
    )
    plain, mirrored = (draw_crops(picture, recipe, draw(2)) for recipe in (never, always))
    assert torch.equal(plain.globals[0].flip(-1), mirrored.globals[0])


def blurred_views(picture, blur):
    """How often of 120 the first view, the second and a small one are not as sharp as can be."""
    square = picture[:, 30:210]  # no other box of its whole area lies in it
    whole = {"global_shares": (1.0, 1.0), "local_shares": (1.0, 1.0)}
    recipe = CropRecipe(28, 28, 1, **whole, mirror=0, photometrics=STILL, blur=blur)
    sharp = Image.fromarray(square.numpy()).resize((28, 28), Image.Resampling.BICUBIC)
    counts = np.zeros(3)
    for seed in range(120):
        crops = draw_crops(square, recipe, draw(seed))
        views = torch.cat([crops.globals, crops.locals]).permute(0, 2, 3, 1).numpy().astype(int)
        counts += np.abs(views - np.asarray(sharp, int)).max(axis=(1, 2, 3)) > 3
    return counts / 120


def test_which_views_are_blurred(picture):
    """A blur of less than half a pixel, one in five, cannot be seen."""
    first, second, small = blurred_views(picture, "written")
    assert first > 0.7
    assert second < 0.2
    assert 0.25 < small < 0.55
    first, second, small = blurred_views(picture, "published")
    assert first == 0
    assert second > 0.6
    assert 0.25 < small < 0.55


def test_the_second_view_alone_is_solarised():
    bright = torch.full((60, 60, 3), 200, dtype=torch.uint8)
    recipe = CropRecipe(28, 28, 2, photometrics=Photometrics(jitter=0, grey=0, solarise=1.0))
    crops = draw_crops(bright, recipe, draw())
    assert crops.globals.float().mean((1, 2, 3)).tolist() == [200, 55]
    assert crops.locals.float().mean((1, 2, 3)).tolist() == [200, 200]


def test_the_least_picture_has_crops():
    crops = draw_crops(torch.zeros(1, 1, 3, dtype=torch.uint8), SMALL, draw())
    assert int(crops.globals.sum()) == 0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"global_px": 4}, "want crops of 8 pixels and more"),
        ({"local_count": -1}, "0 small ones or more"),
        ({"local_shares": (0.4, 0.3)}, "the lowest share first"),
        ({"global_shares": (0.0, 0.3)}, "more than 0"),
        ({"mirror": 2.0}, "mirror is a probability"),
        ({"blur": "inverted"}, "blur is one of written, published, got 'inverted'"),
    ],
)
def test_wrong_recipes_are_refused(wrong, text):
    with pytest.raises(UsageError, match=text):
        CropRecipe(**wrong)


@pytest.mark.parametrize("wrong", [torch.zeros(5, 5, 3), torch.zeros(3, 5, 5, dtype=torch.uint8)])
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(ValueError, match=r"want uint8 \[H, W, 3\]"):
        draw_crops(wrong, SMALL, draw())
