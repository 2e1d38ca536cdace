"""What may change a recording's candidates changes their name, and nothing else does."""

from dataclasses import replace

import pytest

from pipeline.configuration.source_plan import SourcePlan
from pipeline.curate.setup import Setup

SETUP = Setup("dinov2_vitti14", "demo", 0, None, "torch", short_side=28)
COMPUTED = {"engine": "torch 2", "dtype": "float32", "device": "cpu"}
PLAN = SourcePlan("gate.mp4", "/films/gate.mp4", live=False, session="c0ffee")


def key(setup=SETUP, plan=PLAN, computed=COMPUTED):
    return setup.key(plan, setup.facts(computed))


@pytest.mark.parametrize(
    "change",
    [
        {"short_side": 42},
        {"fps": 3.0},
        {"every_s": 5.0},
        {"side": 224},
        {"blur": ("person",)},
        {"heads": {"segmentation": "voc2012-linear"}},
    ],
)
def test_another_setting_is_another_key(change):
    assert key(replace(SETUP, **change)) != key()


def test_other_weights_are_another_key():
    assert len({key(replace(SETUP, weights="random", seed=seed)) for seed in (0, 1)} | {key()}) == 3


@pytest.mark.parametrize("part", COMPUTED)
def test_what_computes_is_part_of_it_and_not_how_that_was_asked_for(part):
    assert key(computed=COMPUTED | {part: "another"}) != key()
    assert key(replace(SETUP, backend="auto")) == key()


def test_threads_and_places_are_none_of_it():
    assert key(replace(SETUP, threads=3)) == key()
    assert key(plan=replace(PLAN, url="/elsewhere/gate.mp4")) == key()
    assert key(plan=replace(PLAN, session="decade")) != key()


def test_a_head_of_the_same_name_with_other_bytes_is_another(tmp_path):
    head = tmp_path / "own.safetensors"
    found = set()
    for content in (b"one", b"other"):
        head.write_bytes(content)
        found.add(key(replace(SETUP, heads={"segmentation": str(head)})))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("short_side", "side", "picture"),
    [(28, 100, 84), (224, 448, 448), (224, 100, 224), (30, 62, 56)],
)
def test_a_picture_is_a_whole_multiple_of_a_frame(short_side, side, picture):
    setup = replace(SETUP, short_side=short_side, side=side)
    assert setup.picture_size.short_side == picture
    for source_hw in ((360, 640), (1080, 1919), (77, 501)):
        height, width = setup.picture_size.of(source_hw)
        frame = setup.frame_size.of((height, width))
        times = height // frame[0]
        assert (height, width) == (times * frame[0], times * frame[1])
