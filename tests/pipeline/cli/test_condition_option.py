"""Heads are measured under conditions from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

SCENES = ("--synthetic", "street", "--seeds", "10:13", "--frames", "2", "--seconds", "2")
DEMO = ("--head", "demo", "--weights", "demo", "--short-side", "56", "--cache", "c")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["depth", "segmentation"])
def test_a_head_is_measured_on_the_same_pictures_under_conditions(dinostream, tmp_path, task):
    def measured(*conditions):
        done = dinostream("eval", task, *DEMO, *SCENES, "-o", "out", "--json", *conditions)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    plain = measured()
    under = measured("--condition", "night:0", "--condition", "fog:3")
    assert plain["conditions"] == []
    nothing, fog = under["conditions"]
    assert {**under, "conditions": []} == plain, "pictures as they are stay what they are"
    assert (nothing["condition"], nothing["strength"]) == ("night", 0)
    assert nothing["estimates"] == plain["estimates"]
    assert all(set(one.values()) == {0.0} for one in nothing["changes"].values())
    worse = {"depth": "rmse_m", "segmentation": "pixel_accuracy"}[task]
    assert fog["estimates"][worse] != plain["estimates"][worse]
    expected = fog["estimates"][worse]["value"] - plain["estimates"][worse]["value"]
    assert fog["changes"][worse]["value"] == pytest.approx(expected, abs=2e-6)
    table = (tmp_path / "out" / f"{task}.conditions.md").read_text()
    assert "| fog:3 " in table
    with Image.open(tmp_path / "out" / f"{task}.conditions.jpg") as picture:
        assert picture.width == 596
    shown = dinostream("eval", task, *DEMO, *SCENES, "--condition", "fog:3")
    assert "| constant answer " in shown.stdout


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (("snow",), "no condition 'snow'; there are night, low-light, rain, fog"),
        (("night", "fog:9"), "fog:9: a strength is a number from 0"),
    ],
)
def test_a_condition_that_is_none_is_refused_before_anything_is_computed(
    dinostream, conditions, said
):
    options = [text for one in conditions for text in ("--condition", one)]
    done = dinostream("eval", "depth", *DEMO, *SCENES, *options)
    assert done.returncode == 2
    assert said in done.stderr


def test_fog_over_pictures_without_depth_is_refused(dinostream, tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / folder / "a.png")
    done = dinostream(
        *("eval", "segmentation", *DEMO, "--images", "images", "--masks", "masks"),
        *("--condition", "all", "--condition", "fog:2"),
    )
    assert done.returncode == 2
    assert "--condition fog:2 goes by depth, which nobody knows of these pictures" in done.stderr


def test_boxes_are_not_measured_under_conditions(dinostream):
    done = dinostream("eval", "detect", *DEMO, *SCENES, "--condition", "fog")
    assert done.returncode == 2
    assert "No such option '--condition'" in done.stderr
