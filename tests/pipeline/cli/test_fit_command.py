"""`dinostream fit action` and `fit classify` as real processes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

BACKBONE = ("--model", "dinov2_vitti14", "--weights", "random", "--short-side", "28")


@pytest.fixture
def pictures(tmp_path):
    draw = np.random.default_rng(0)
    for low, kind in ((5, "dark"), (210, "bright")):
        for number in range(3):
            path = tmp_path / "pictures" / kind / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = draw.integers(low, low + 40, (48, 64, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(path)
    return tmp_path / "pictures"


@pytest.mark.parametrize("name", ["action", "classify"])
def test_help_shows_an_example(dinostream, name):
    done = dinostream("fit", name, "--help")
    assert done.returncode == 0
    assert f"Example: dinostream fit {name}" in done.stdout


@pytest.mark.slow
def test_fit_classify_prints_and_writes(dinostream, pictures, tmp_path):
    done = dinostream("fit", "classify", "--images", pictures, *BACKBONE, "--classifier", "knn")
    assert done.returncode == 0, done.stderr
    assert "wrote classify.safetensors: use it with --head classify=" in done.stdout
    assert "#1   dark" in done.stdout
    assert (tmp_path / "classify.safetensors").is_file()
    done = dinostream(
        *("fit", "classify", "--images", pictures, *BACKBONE, "--classifier", "knn"),
        *("--out", "other.safetensors", "--json"),
    )
    report = json.loads(done.stdout)
    assert report["labels"] == ["bright", "dark"]
    assert report["file"] == "other.safetensors"
    assert report["tried"][0]["what"].startswith("mean, 1 block, k ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("action",), "give --clips DIR, --labels CSV or --synthetic SCENE"),
        (
            ("action", "--clips", "x", "--labels", "y"),
            "give --clips DIR, --labels CSV or --synthetic SCENE",
        ),
        (("action", "--clips", "x", "--from", "sqlite:r.db"), "with --from it is --labels"),
        (("action", "--synthetic", "world"), "--seeds takes A:B with A < B"),
        (("action", "--clips", "nowhere"), "no such folder: nowhere"),
        (("action", "--labels", "nowhere.csv"), "nowhere.csv: cannot be read"),
        (("classify", "--images", "nowhere"), "no such folder: nowhere"),
    ],
)
def test_bad_usage_ends_before_any_work(dinostream, arguments, why):
    done = dinostream("fit", *arguments)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--finetune", "12"), "has 12 blocks; fine-tune the last 1 to 11 of them, got 12"),
        (("--finetune", "--model", "dinov2_vits14_reg"), "dinov2_vits14_reg has registers"),
        (("--finetune", "2", "--classifier", "svm"), "goes on from the classifier linear, got svm"),
    ],
)
def test_blocks_that_cannot_learn_are_refused_before_any_work(
    dinostream, pictures, tmp_path, options, why
):
    done = dinostream("fit", "classify", "--images", pictures, *BACKBONE, *options)
    assert done.returncode == 2
    assert why in done.stderr
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize("name", ["action", "classify", "segmentation", "depth"])
@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("own.pth", "own.pth: a head file's name ends in .safetensors"),
        ("file/own.safetensors", "cannot write file/own.safetensors: Not a directory"),
        (f"{'x' * 300}.safetensors", f"cannot write {'x' * 300}.safetensors: File name too long"),
        ("folder.safetensors", "folder.safetensors is a folder; -o names a file"),
    ],
)
def test_a_head_that_cannot_be_written_is_refused_before_any_work(
    dinostream, tmp_path, name, out, why
):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder.safetensors").mkdir()
    data = ("--synthetic", "world", "--seeds", "0:2")
    data = ("--images", "pictures") if name == "classify" else data
    done = dinostream("fit", name, *data, *BACKBONE, "--out", out)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [f"dinostream: {why}"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.safetensors"]
