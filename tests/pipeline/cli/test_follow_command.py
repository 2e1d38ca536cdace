"""`dinostream follow`: what it says, and what it refuses before any work."""

from __future__ import annotations

import json

import pytest

SCENE = "synthetic:yard?seed=700&seconds=1&fps=5&size=112x84"
SMALL = ("--model", "dinov2_vitti14", "--weights", "random", "--short-side", "84")


@pytest.mark.slow
def test_a_scene_is_followed_and_fitted(dinostream, tmp_path):
    done = dinostream(
        *("follow", SCENE, "--at", "0", "--point", "it:56,42", "--box", "low:5,60,50,80"),
        *(*SMALL, "--detect", "-o", "out"),
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0].startswith("it: seen in ")
    assert said[1].startswith("low: seen in ")
    assert "the weights are random" in done.stdout
    assert "wrote out; look at strip.png first" in said
    words = next(line for line in said if "fit segmentation" in line).split()[3:]
    fitted = dinostream(*words, *SMALL, "--steps", "2", "--json")
    assert fitted.returncode == 0, fitted.stderr
    names = [label["name"] for label in json.loads(fitted.stdout)["labels"]]
    assert names == ["background", "it", "low"]


@pytest.mark.slow
def test_frames_that_are_lost_are_told_and_change_the_exit_code(dinostream, shared_media, tmp_path):
    clip = str(shared_media / "corrupt" / "corrupted.mp4")
    wanted = ("--at", "0", "--point", "60,40", "--fps", "1", *SMALL)
    done = dinostream("follow", clip, *wanted, "-o", "out", "--json")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert "frames lost" in told["trouble"]
    assert any("were lost" in note for note in told["notes"])
    assert json.loads((tmp_path / "out" / "follow.json").read_text())["trouble"] == told["trouble"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "nothing to follow: give --point"),
        (("--point", "5"), "--point takes X,Y, such as 310,220; got '5'"),
        (("--point", "cup:5,nan"), "--point takes X,Y, such as 310,220; got 'cup:5,nan'"),
        (("--box", "cup:1,2,3"), "--box takes X0,Y0,X1,Y1"),
        (("--point", "5,5", "--not", "cup:1,1"), "--not takes X,Y"),
        (("--point", "5,5", "--from", "3"), "--from 3 is behind --at 1"),
    ],
)
def test_bad_usage_ends_before_any_work(dinostream, tmp_path, options, why):
    done = dinostream("follow", "clip.mp4", "--at", "1", "-o", "out", *options, *SMALL)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
