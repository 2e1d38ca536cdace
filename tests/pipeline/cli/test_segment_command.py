"""`dinostream segment`: what it writes and says, and what it refuses before any work."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from operators.weights.digest import sha256_file
from tests.outside_twins import write_sam

SMALL = ("--model", "dinov2_vitti14", "--weights", "random", "--short-side", "56")


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 255, (45, 77, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "frame.png")
    return "frame.png"


def test_a_name_that_is_too_long_for_a_file_is_no_file(dinostream):
    done = dinostream("segment", "a" * 300, "--point", "3,3", "-o", "mask.png")
    assert done.returncode == 2
    assert "aaa: no such file; FRAME is a picture's, or CLIP@SECONDS" in done.stderr


def read(path) -> np.ndarray:
    with Image.open(path) as file:
        assert file.mode == "L"
        return np.asarray(file)


@pytest.mark.slow
def test_sam_tells_three_masks_of_one_click_and_what_made_them(dinostream, picture, tmp_path):
    write_sam(tmp_path / "sam")
    done = dinostream(
        *("segment", picture, "--point", "20,10", "--weights-sam", "sam"),
        *("-o", "mask.png", "--overlay", "seen.png"),
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [one["file"] for one in said["masks"]] == ["mask.png", "mask.2.png", "mask.3.png"]
    scores = [one["predicted_iou"] for one in said["masks"]]
    assert scores == sorted(scores, reverse=True)
    for one in said["masks"]:
        mask = read(tmp_path / one["file"])
        assert mask.shape == (45, 77)
        assert set(np.unique(mask)) <= {0, 255}
        assert one["area_px"] == (mask == 255).sum()
    assert said["by"]["sha256"] == sha256_file(tmp_path / "sam" / "model.safetensors")
    assert said["by"]["licence_of_published"] == "Apache-2.0"
    assert said["frame"] == {"file": picture, "sha256": sha256_file(tmp_path / picture)}
    with Image.open(tmp_path / "seen.png") as shown:
        assert shown.size == (77, 45)


@pytest.mark.slow
def test_without_sam_it_is_by_likeness_in_a_moment_of_a_recording(dinostream, tmp_path):
    scene = "synthetic:yard?seed=700&seconds=1&fps=5&size=112x84"
    clicks = ("--point", "56,42", "--point", "5,5:-", "--box", "20,20,100,80")
    done = dinostream("segment", f"{scene}@0.4", *clicks, *SMALL, "-o", "mask.png")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    (one,) = said["masks"]
    assert one["predicted_iou"] is None
    assert said["by"]["untrained"] is True
    assert said["frame"]["time_s"] == pytest.approx(0.4)
    assert read(tmp_path / "mask.png")[42, 56] == 255


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "nothing to segment: give --point"),
        (("--point", "3,3:-"), "alone says too little"),
        (("--point", "3"), "--point takes X,Y, such as 310,220; got '3'"),
        (("--point", "3,nan"), "--point takes X,Y"),
        (("--point", "3,3:no"), "--point takes X,Y or, on what is not the thing, X,Y:-"),
        (("--box", "1,2,3"), "--box takes X0,Y0,X1,Y1"),
        (("--box", "30,2,3,9"), "--box 30,2,3,9 is upside down"),
        (("--point", "77,3"), "--point 77,3 lies outside of the picture, which is 77x45"),
        (("--box", "3,2,30,46"), "--box 3,2,30,46 reaches out of the picture"),
        (("--point", "3,3", "--weights-sam", "nowhere"), "nowhere: is not there"),
        (("--point", "3,3", "--weights-sam", "sam", "--short-side", "98"), "--short-side: of our"),
        (("--point", "3,3", "-o", "frame.png"), "frame.png is the picture itself, which would be"),
        (("--point", "3,3", "--overlay", "./frame.png"), "frame.png is the picture itself"),
        (("--point", "3,3", "--overlay", "mask.2.png"), "mask.2.png is where a mask goes"),
        (("--point", "3,3", "--overlay", "seen.jpg"), "--overlay seen.jpg: its name has to end"),
    ],
)
def test_bad_usage_ends_before_any_work(dinostream, picture, tmp_path, options, why):
    done = dinostream("segment", picture, "-o", "mask.png", *options)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [picture]
