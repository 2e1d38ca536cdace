"""Heads are trained and measured from the command line, on rendered scenes, as real processes."""

from __future__ import annotations

import json

import pytest
from PIL import Image

SMALL = ("--model", "dinov2_vitti14", "--weights", "random", "--short-side", "28")
SCENES = ("--synthetic", "world", "--size", "64x36", "--frames", "1", "--seconds", "1")
COMPARE = ("eval", "compare", *SMALL, *SCENES, "--seeds", "5:7", "--train-seeds", "0:5")


@pytest.fixture
def made(dinostream):
    """Runs a command that must do; its standard output."""

    def run(*arguments):
        done = dinostream(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.slow
def test_a_depth_head_is_trained_measured_and_used(made, tmp_path):
    train = made("fit", "depth", *SMALL, *SCENES, "--seeds", "0:6", "--steps", "5", "--cache", "c")
    assert "abs_rel" in train
    assert "WARNING: measured on 1 scenes only" in train
    assert "--head depth=depth.safetensors" in train
    said = json.loads(
        made(
            *("eval", "depth", "--head", "depth.safetensors", *SMALL, *SCENES),
            *("--seeds", "10:13", "--cache", "c", "-o", "measured", "--json"),
        )
    )
    assert said["samples"] == said["groups"] == 3
    assert said["given_to_fit"] == 0
    assert set(said["estimates"]) == set(said["constant"]) == {"abs_rel", "rmse_m", "delta1"}
    estimate = said["estimates"]["abs_rel"]
    assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert json.loads((tmp_path / "measured" / "depth.json").read_text()) == said
    with Image.open(tmp_path / "measured" / "depth.reliability.png") as picture:
        assert picture.size == (1000, 960)
    made(
        *("replay", "synthetic:room?seed=3&seconds=1&size=64x36", "--runtime", "inline", *SMALL),
        *("--operator", "depth", "--head", "depth=depth.safetensors"),
    )


@pytest.mark.slow
def test_a_head_of_pictures_is_measured_at_its_own_size(made, dinostream, tmp_path):
    for kind, grey in (("bright", 210), ("dark", 10)):
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        for number in range(6):
            picture = Image.new("L", (64, 48), grey + number)
            picture.save(tmp_path / "pictures" / kind / f"{number}.png")
    common = ("--images", "pictures", "--cache", "c")
    made("fit", "classify", *SMALL, "--classifier", "logistic", "-o", "own.safetensors", *common)
    kept = set((tmp_path / "c").rglob("*.safetensors"))
    measure = ("eval", "classify", "--head", "own.safetensors", *SMALL[:4], *common)
    said = json.loads(made(*measure, "--json"))
    assert said["samples"] == said["given_to_fit"] == 12
    assert made(*measure).startswith("CAUTION: the fit of this head was given all files")
    assert set((tmp_path / "c").rglob("*.safetensors")) == kept, "the same features as the fit's"
    done = dinostream(*measure, "--short-side", "56")
    assert done.returncode == 2
    assert "trained at a short side of 28 px" in done.stderr


@pytest.mark.slow
def test_a_segmentation_head_is_trained_and_measured(made, tmp_path):
    made(
        *("fit", "segmentation", *SMALL, *SCENES, "--seeds", "0:5", "--steps", "5"),
        *("--cache", "c", "-o", "parts.safetensors"),
    )
    told = made(
        *("eval", "segmentation", "--head", "parts.safetensors", *SMALL, *SCENES),
        *("--seeds", "10:13", "--cache", "c", "-o", "measured"),
    )
    assert "miou" in told
    assert "constant answer" in told
    with Image.open(tmp_path / "measured" / "segmentation.confusion.png") as picture:
        assert picture.width == 1600


@pytest.mark.slow
def test_a_head_of_another_backbone_is_refused(made, dinostream):
    made(
        *("fit", "segmentation", *SMALL, *SCENES, "--seeds", "0:5", "--steps", "2"),
        *("--cache", "c", "-o", "parts.safetensors"),
    )
    done = dinostream(
        *("eval", "segmentation", "--head", "parts.safetensors", *SMALL, "--seed", "1", *SCENES),
        *("--seeds", "10:12", "--cache", "c"),
    )
    assert done.returncode == 2
    assert "was trained on the backbone" in done.stderr


@pytest.mark.slow
def test_pixels_stand_beside_weights_in_one_table(made, tmp_path):
    few = ("--task", "depth", "--blocks", "1", "--steps", "2", "--cache", "c", "-o", "out")
    said = json.loads(made(*COMPARE, *few, "--beside", "pixels:8x8", "--json"))
    assert list(said) == ["random", "pixels:8x8"]
    assert said["random"]["depth"]["samples"] == said["pixels:8x8"]["depth"]["samples"] == 2
    table = (tmp_path / "out" / "comparison.md").read_text()
    assert "| pixels:8x8 | none | 192 | 14 |" in table
    assert (tmp_path / "out" / "pixels-8x8" / "depth" / "depth.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("eval", "segmentation", "--head", "x", *SMALL, "--labels", "x.csv"),
            "No such option '--labels'",
        ),
        (("fit", "depth", *SMALL), "give --images DIR and --depth DIR, or --synthetic"),
        (("fit", "depth", *SMALL, *SCENES, "--seeds", "4:4"), "--seeds takes A:B"),
        (("fit", "segmentation", *SMALL, *SCENES, "--seeds", "0:9", "--images", "."), "give"),
        (
            (
                *("eval", "compare", *SMALL, *SCENES),
                *("--seeds", "5:9", "--train-seeds", "0:6"),
            ),
            "scenes 5:6 are trained on and measured on",
        ),
        ((*COMPARE, "--images", "."), "give --synthetic SCENE, --seeds A:B and --train-seeds A:B"),
        (
            (*COMPARE[:-2],),
            "give --synthetic SCENE, --seeds A:B and --train-seeds A:B, or --images",
        ),
        ((*COMPARE, "--beside", "dino"), "want FAMILY:MODEL or FAMILY:MODEL=FILE"),
        ((*COMPARE, "--beside", "open_clip:B16"), "unknown open_clip:B16"),
        ((*COMPARE, "--beside", "ibot:vit_base=none.pth"), "none.pth"),
    ],
)
def test_data_that_cannot_be_is_refused_before_anything_is_loaded(dinostream, arguments, said):
    done = dinostream(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
