"""Rendered clips on disk: made once, read in any order, the same whoever made them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.demo_weights.footage import Footage, Mix
from pipeline.demo_weights.recipe import CLIPS_PER_FILE, Recipe
from pipeline.demo_weights.rendering import render
from pipeline.synthetic.action import ACTIONS
from pipeline.synthetic.scene import open_scene

RECIPE = Recipe("world", first_seed=5, clips=3, frames=2, size_wh=(28, 28), paces=(1,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    assert list(render(folder, RECIPE, processes=1)) == [0, 3]
    return folder


@pytest.mark.slow
def test_clips_are_the_scenes_frames_with_their_truth(folder):
    clips = Footage(folder, RECIPE).clips([2, 0])

    assert clips.pixels.shape == (2, 2, 28, 28, 3)
    assert clips.pixels.dtype == torch.uint8
    scene = open_scene(RECIPE.spec(5, pace=1))  # the second of the two
    frame = scene.render(1)
    assert np.array_equal(clips.pixels[1, 1].numpy(), frame.rgb)
    assert clips.actions[1] == ACTIONS.index(scene.action)
    centre = (1, 5)  # of cell (0, 1): 3.5 pixels a side
    assert clips.depth_m[1, 1, 0, 1] == pytest.approx(float(frame.depth_m[centre]), rel=1e-3)
    assert clips.classes[1, 1, 0, 1] == frame.classes[centre]


@pytest.mark.slow
def test_frames_lie_as_far_apart_as_the_recipe_says(tmp_path):
    recipe = replace(RECIPE, clips=1, apart=7)
    list(render(tmp_path, recipe, processes=1))
    (pixels,) = Footage(tmp_path, recipe).clips([0]).pixels.numpy()

    scene = open_scene(recipe.spec(5, pace=1))
    assert scene.frame_count == recipe.span == 8
    assert np.array_equal(pixels, [scene.render(0).rgb, scene.render(7).rgb])


@pytest.mark.slow
def test_cells_are_the_same_from_left_and_from_right(folder):
    del folder
    from pipeline.demo_weights.rendering import _cell_centres

    for side in (28, 112, 224):
        centres = _cell_centres(side)
        assert len(centres) == side // 14 * 4
        assert np.array_equal(side - 1 - centres[::-1], centres)


def test_what_is_there_is_not_made_again(folder):
    (path,) = folder.rglob("*.npz")
    before = path.stat().st_mtime_ns

    assert list(render(folder, RECIPE, processes=1)) == [3]
    assert path.stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_lost_file_is_made_again_the_same(tmp_path):
    recipe = Recipe(
        "world", first_seed=0, clips=CLIPS_PER_FILE + 1, frames=1, size_wh=(28, 28), paces=(1,)
    )
    list(render(tmp_path, recipe, processes=2))
    numbers = range(len(Footage(tmp_path, recipe)))
    before = Footage(tmp_path, recipe).clips(numbers)
    max(tmp_path.rglob("*.npz")).unlink()

    assert list(render(tmp_path, recipe, processes=1)) == [CLIPS_PER_FILE, CLIPS_PER_FILE + 1]
    after = Footage(tmp_path, recipe).clips(numbers)
    assert torch.equal(before.pixels, after.pixels)
    assert torch.equal(before.actions, after.actions)


def test_another_recipe_has_a_folder_of_its_own():
    names = {RECIPE.name, Recipe("world", 5, 3, frames=2, size_wh=(42, 42), paces=(1,)).name}

    assert len(names) == 2


@pytest.mark.slow
def test_a_mix_draws_sizes_by_their_shares_and_fewer_of_larger_ones(folder, tmp_path):
    wide = Recipe("world", first_seed=9, clips=1, frames=2, size_wh=(56, 28), paces=(1,))
    list(render(tmp_path, wide, processes=1))
    mix = Mix([Footage(folder, RECIPE), Footage(tmp_path, wide)], shares=[3, 1])

    draw = torch.Generator().manual_seed(0)
    shapes = [tuple(mix.draw(8, draw).pixels.shape) for _ in range(100)]

    assert set(shapes) == {(8, 2, 28, 28, 3), (4, 2, 28, 56, 3)}
    assert 60 < shapes.count((8, 2, 28, 28, 3)) < 90
