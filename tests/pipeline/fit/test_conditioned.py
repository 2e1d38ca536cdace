"""Pictures under conditions: the same truths, draws of their own, and names that say all of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from operators.conditions.condition import Condition
from pipeline.cli.condition_option import chosen_conditions
from pipeline.fit.conditioned import ConditionedItem, beside_themselves, has_depth
from pipeline.fit.conditions_picture import conditions_picture
from pipeline.fit.pairs import pairs
from pipeline.fit.scenes import Scenes
from pipeline.fit.truth_files import DepthFile, MaskFile
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.labels import SKY

SIZE = FrameSize(28, 14)
FOG, NIGHT = Condition("fog"), Condition("night")


def street(task="depth"):
    return Scenes("street", range(3, 4), frames=2, seconds=1.0).items(task, SIZE)


@pytest.fixture
def files(tmp_path):
    """`files(scale)`: two pictures of equal content with depth maps, as pairs; and with masks."""
    draw = np.random.default_rng(0)
    picture = draw.integers(40, 200, (30, 44, 3), dtype=np.uint8)
    for name in ("images", "depth", "masks"):
        (tmp_path / name).mkdir()
    for stem in "ab":
        Image.fromarray(picture).save(tmp_path / "images" / f"{stem}.png")
        steps = draw.integers(1000, 60000, (30, 44)).astype(np.uint16)
        Image.fromarray(steps).save(tmp_path / "depth" / f"{stem}.png")
        Image.fromarray(np.zeros((30, 44), np.uint8)).save(tmp_path / "masks" / f"{stem}.png")

    def made(scale=0.001):
        return pairs(tmp_path / "images", tmp_path / "depth", DepthFile(scale))

    made.masks = lambda: pairs(tmp_path / "images", tmp_path / "masks", MaskFile())
    return made


def test_every_picture_stands_before_itself_under_every_condition():
    items = street()
    found = beside_themselves(items, [FOG, NIGHT], seed=0)
    assert [one.name for one in found[:3]] == [
        items[0].name,
        f"{items[0].name}, fog",
        f"{items[0].name}, night",
    ]
    assert found[3] is items[1]
    assert {one.group for one in found} == {items[0].group}
    for one in found[:3]:
        assert one.truth_identity == items[0].truth_identity
        assert np.array_equal(one.truth(SIZE), items[0].truth(SIZE))


def test_all_that_decides_pixels_is_in_the_name_of_what_is_kept(files):
    item, copy = files()
    rescaled, _ = files(0.002)
    wanted = [
        ConditionedItem(item, FOG, 0),
        ConditionedItem(item, FOG, 1),
        ConditionedItem(item, Condition("fog", 0.5), 0),
        ConditionedItem(item, Condition("rain"), 0),
        ConditionedItem(rescaled, FOG, 0),
        ConditionedItem(copy, FOG, 0),
        item,
    ]
    assert len({str(one.identity) for one in wanted}) == len(wanted)
    nights = [ConditionedItem(one, NIGHT, 0) for one in (item, rescaled, copy)]
    assert len({str(one.identity) for one in nights}) == 1, "which goes by no depth"


def test_noise_is_of_the_pictures_content_and_of_the_seed(files):
    item, copy = files()
    one, same, other = (
        ConditionedItem(*of).pixels(SIZE)
        for of in ((item, NIGHT, 0), (copy, NIGHT, 0), (item, NIGHT, 1))
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    frames = [ConditionedItem(frame, NIGHT, 0).draw().random() for frame in street()]
    assert len(set(frames)) == 2, "frames of one scene have draws of their own"


def test_draws_are_the_same_in_every_process_on_every_machine():
    """Words of PCG64, which numpy promises never to change, from a hash of names."""
    item = SimpleNamespace(identity={"image": "0" * 40})
    draw = ConditionedItem(item, NIGHT, 3).draw()
    assert draw.bit_generator.random_raw() == 6858419163706086820


@pytest.mark.parametrize("task", ["depth", "segmentation"])
def test_fog_over_a_scene_is_by_its_depth_and_the_sky_is_air(task):
    item = street(task)[0]
    depth_m, sky = item.depth_m(SIZE), street("segmentation")[0].truth(SIZE) == SKY
    assert np.isinf(depth_m[sky]).all()
    assert sky.any()
    foggy = ConditionedItem(item, Condition("fog", 2), 0).pixels(SIZE)
    assert len(np.unique(foggy[sky])) == 1
    clear = np.abs(foggy.astype(float) - foggy[sky][0]).mean(axis=2)
    low, high = np.quantile(depth_m[~sky], (0.3, 0.7))
    assert clear[depth_m < low].mean() > 2 * clear[(depth_m > high) & ~sky].mean()


def test_depth_maps_know_depth_and_masks_do_not(files):
    assert has_depth(files()[0])
    assert not has_depth(files.masks()[0])
    assert chosen_conditions(["fog"], files()) == ([FOG], [])
    found, notes = chosen_conditions(["all", "night"], files.masks())
    assert [one.name for one in found] == ["night", "low-light", "rain", "motion-blur", "defocus"]
    assert notes == [
        "rain: nobody knows the depth of these pictures, streaks alone, without their veil",
        "fog: nobody knows the depth of these pictures, left out",
    ]


def test_the_picture_has_a_column_for_every_condition():
    image = conditions_picture(street(), [FOG, NIGHT], SIZE, seed=0)
    assert image.width == 3 * 200 - 4
    assert image.height > 2 * 100
