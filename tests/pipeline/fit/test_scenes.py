"""Scenes as data: truth belongs to the frame, and the sky has no depth."""

from __future__ import annotations

import numpy as np

from pipeline.fit.scenes import SceneItem, Scenes
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.labels import SKY
from pipeline.synthetic.scene import open_scene

SIZE = FrameSize(56, 14)
STREETS = Scenes("street", range(3, 4), frames=2, seconds=2.0, sizes_wh=((56, 56),))


def test_the_sky_has_no_depth_and_everything_else_has_its_own():
    depth, masks = (STREETS.items(task, SIZE)[0] for task in ("depth", "segmentation"))
    frame = open_scene(STREETS.spec(3, SIZE)).render(0)

    metres, classes = depth.truth(SIZE), masks.truth(SIZE)
    assert np.array_equal(classes, frame.classes)
    sky = classes == SKY
    assert 0 < sky.mean() < 1
    assert (metres[sky] == 0).all()
    assert np.array_equal(metres[~sky], frame.depth_m[~sky])


def test_frames_are_spread_over_the_clip_and_have_names_of_their_own():
    items = STREETS.items("depth", SIZE)

    assert [item.index for item in items] == [0, 9]
    assert len({item.name for item in items}) == 2
    assert len({item.group for item in items}) == 1
    assert isinstance(items[0], SceneItem)


def test_of_several_sizes_every_scene_has_one_its_seed_says_which():
    sizes = ((56, 56), (98, 56), (56, 98))
    scenes = Scenes("street", range(3, 7), frames=1, seconds=2.0, sizes_wh=sizes)

    assert [scenes.spec(seed, SIZE).size_wh for seed in scenes.seeds] == [*sizes, sizes[0]]
    shapes = [item.pixels(SIZE).shape for item in scenes.items("depth", SIZE)]
    assert shapes == [(56, 56, 3), (56, 98, 3), (98, 56, 3), (56, 56, 3)]
