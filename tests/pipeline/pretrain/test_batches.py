"""Crops of a step are the same bytes, whoever makes them, in whatever order steps are asked for."""

import hashlib
from contextlib import closing

import pytest
import torch

from operators.pretrain.crops import CropRecipe, draw_crops
from operators.pretrain.dice import generator_of
from pipeline.errors import SourceError
from pipeline.pretrain.batches import Batches

RECIPE = CropRecipe(28, 14, 2)


def batches(corpus, *, count=6, seed=3, threads=1):
    return closing(Batches(corpus, RECIPE, count=count, seed=seed, threads=threads))


def digest(crops):
    both = (crops.globals.numpy().tobytes(), crops.locals.numpy().tobytes())
    return hashlib.sha256(b"".join(both)).hexdigest()


def test_a_batch_is_the_crops_of_its_pictures_side_by_side(pictures):
    with batches(pictures) as made:
        crops = made(5)
    assert crops.globals.shape == (2, 6, 3, 28, 28)
    assert crops.locals.shape == (2, 6, 3, 14, 14)
    number = pictures.draw(5, 6, 3)[4]
    alone = draw_crops(torch.from_numpy(pictures.picture(number)), RECIPE, generator_of(3, 5, 4))
    assert torch.equal(crops.globals[:, 4], alone.globals)
    assert torch.equal(crops.locals[:, 4], alone.locals)


def test_neither_threads_nor_the_order_of_steps_change_a_byte(pictures):
    with batches(pictures) as made:
        in_order = [digest(made(step)) for step in range(9)]
    assert len(set(in_order)) == 9
    with batches(pictures, threads=3) as made:
        assert [digest(made(step)) for step in range(9)] == in_order
    with batches(pictures, threads=2) as made:
        assert [digest(made(step)) for step in (7, 2, 3, 8, 2)] == [
            in_order[step] for step in (7, 2, 3, 8, 2)
        ]


def test_another_seed_makes_other_crops(pictures):
    with batches(pictures) as one, batches(pictures, seed=4) as other:
        assert digest(one(0)) != digest(other(0))


def test_one_picture_is_never_cropped_alike(pictures):
    with batches(pictures, count=24) as made:
        steps = [made(step) for step in range(4)]
    seen = {one.globals[:, row].numpy().tobytes() for one in steps for row in range(24)}
    assert len(seen) == 4 * 24


def test_a_picture_that_is_gone_ends_the_run_with_its_name(gathered, small_picture, tmp_path):
    path = small_picture(tmp_path / "photos/one.png", "bars")
    corpus = gathered(tmp_path / "corpus", tmp_path / "photos").corpus
    path.unlink()
    with batches(corpus, count=1) as made, pytest.raises(SourceError, match=r"one\.png"):
        made(0)
