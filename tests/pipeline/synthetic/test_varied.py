"""`varied` goes further than `world`, in every way that its style names, and with people in it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.synthetic.labels import LABELS, PEOPLED, PERSON, THINGS, labels_of, things_of
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.style import USUAL, VARIED
from pipeline.synthetic.uri import SceneSpec


def _open(scene: str, seed: int, side: int = 32) -> Scene:
    return open_scene(SceneSpec(scene, seed=seed, seconds=1.6, fps=5, size_wh=(side, side)))


@pytest.mark.slow
def test_lenses_and_heights_go_further_than_those_of_a_world() -> None:
    for name, style in (("world", USUAL), ("varied", VARIED)):
        cameras = [_open(name, seed, 16).camera(0) for seed in range(24)]
        lenses = [camera.focal_per_long_side for camera in cameras]
        low, high = style.lens
        assert low <= min(lenses) < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < max(lenses) <= high
        assert min(camera.position[2] for camera in cameras) > 0.45 * style.heights[0]


@pytest.mark.slow
def test_people_are_seen_in_varied_scenes_alone() -> None:
    seen = {
        name: sum(bool((_open(name, seed).render(0).classes == PERSON).any()) for seed in range(16))
        for name in ("world", "varied")
    }
    assert seen["world"] == 0
    assert 4 <= seen["varied"] <= 15


@pytest.mark.slow
def test_people_are_instances_that_stand_on_the_ground_and_pace() -> None:
    moved, tall_m = [], []
    for seed in range(12):
        scene = _open("varied", seed, 64)
        first, last = (scene.instances(index).seen for index in (0, 6))
        later = {one.id: one for one in last}
        for one in first:
            if one.label == PEOPLED.labels[PERSON].name:
                assert one.foot_m[2] == pytest.approx(0.0)
                _, top, _, bottom = one.box
                tall_m.append((bottom - top) / scene.camera(0).focal_px * one.distance_m)
                if one.id in later:
                    moved.append(math.dist(one.foot_m, later[one.id].foot_m))
    assert len(tall_m) > 8
    assert 0.4 < np.median(tall_m) < 2.2  # parts of many are hidden or out of the picture
    assert min(moved) == pytest.approx(0.0)
    assert max(moved) > 0.2


@pytest.mark.slow
def test_colours_differ_more_than_those_of_worlds() -> None:
    def spread(name: str) -> float:
        means = np.array(
            [_open(name, seed).render(0).rgb.reshape(-1, 3).mean(0) for seed in range(24)]
        )
        shares = means / means.sum(1, keepdims=True)
        return float(shares.std(0).mean())

    assert spread("varied") > 1.2 * spread("world")


@pytest.mark.slow
def test_neither_order_nor_another_scene_changes_a_frame() -> None:
    forward = [_open("varied", 3).render(index).rgb for index in range(3)]
    _open("world", 3).render(0)
    again = _open("varied", 3)
    assert all(np.array_equal(again.render(i).rgb, forward[i]) for i in (2, 0, 1))


def test_only_varied_scenes_have_people_among_their_labels() -> None:
    assert _open("varied", 1).labels == labels_of("varied")
    assert _open("world", 1).labels == labels_of("world") == LABELS
    assert labels_of("varied").labels == (*LABELS.labels, PEOPLED.labels[PERSON])
    assert things_of("world") == THINGS
    assert [label.name for label in things_of("varied").labels][-2:] == ["furniture", "person"]
