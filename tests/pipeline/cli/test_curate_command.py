"""`dinostream curate` as a user calls it, from footage to a data set."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from contextlib import suppress

import pytest

SMALL = ("--weights", "random", "--model", "dinov2_vitti14", "--short-side", "28", "--fps", "5")
KINDS = (("bars", "dark"), ("rows",), ("bright", "bars"), ("dark", "rows", "bright"))
SCREEN = "def screen(picture):\n    return 'too dark' if picture.mean() < 40 else None\n"


@pytest.fixture
def footage(small_clip, tmp_path):
    """Eight shots of five kinds, and a file that is no film."""
    for number, kinds in enumerate(KINDS):
        small_clip(tmp_path / "clips" / f"{number}.mp4", *kinds, number=number)
    (tmp_path / "clips" / "torn.mp4").write_bytes(b"no film")
    return tmp_path / "clips"


def curate(*sources, out="set", target=3, more=()):
    own = ("--target", target, "--threshold", "0.9999", "-o", out)
    return ("curate", *sources, *SMALL, *own, *more)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def files(folder):
    """Name -> content of all that lies in it."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_from_footage_to_a_data_set(dinostream, footage, small_picture, tmp_path):
    small_picture(tmp_path / "tests" / "rows.png", "rows", number=1)
    small_picture(tmp_path / "seeds" / "bright.png", "bright", number=2)
    (tmp_path / "own_screens.py").write_text(SCREEN)
    more = ("--filter", "own_screens:screen", "--seed-images", "seeds", "--per-seed", 4)
    done = dinostream(*curate(footage, target=3, more=more))
    assert done.returncode == 3, done.stderr
    assert "torn.mp4: rejected, cannot be opened" in done.stderr
    said = (
        "threshold 0.9999 was given by hand: nobody has measured it; it is applied to raw cosines"
    )
    assert said in done.stderr
    assert done.stdout.splitlines() == [
        "4 of 5 recordings, 8 shots",
        "     160  frames decoded",
        "      80  frames looked at",
        "       8  candidates, one per shot or part of it",
        "       6  let in by the filter (2 the filter refuses)",
        "       4  near to seeds (2 far from all seeds)",
        "       3  pictures taken (1 more than the target)",
        "          2 refused: too dark",
        "wrote set; look at set/sheet.png first",
    ]
    taken, left = (lines(tmp_path / "set" / name) for name in ("manifest.jsonl", "left_out.jsonl"))
    assert len(taken) == 3
    assert len(left) == 5
    for one in taken:
        data = (tmp_path / "set" / one["picture"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one["sha256"]
        assert one["reason"].startswith("near to bright.png, cosine")
    first = files(tmp_path / "set")

    # Another wish over the same recordings, which nobody decodes again, and the first once more.
    done = dinostream(*curate(footage, target=99, more=("--reference", "tests", "--json")))
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["funnel"]["verdicts"]["taken"] == 8
    sources = [footage / name for name in ("torn.mp4", "2.mp4", "0.mp4", "3.mp4", "1.mp4")]
    assert dinostream(*curate(*sources, target=3, more=more)).returncode == 3
    assert files(tmp_path / "set") == first

    # Moved, with other settings: where it lies now, and nothing of the settings before.
    kept = {one.name for one in (tmp_path / "set" / "candidates").iterdir()}
    footage.rename(tmp_path / "moved")
    assert dinostream(*curate("moved", target=3)).returncode == 3
    assert {one.name for one in (tmp_path / "set" / "candidates").iterdir()} == kept
    told = json.loads((tmp_path / "set" / "report.json").read_text())["recordings"]
    assert [one["source"] for one in told] == [
        *(f"moved/{number}.mp4" for number in range(4)),
        "moved/torn.mp4",
    ]
    assert dinostream(*curate("moved", target=3, more=("--side", 28))).returncode == 3
    now = {one.name for one in (tmp_path / "set" / "candidates").iterdir()}
    assert len(now) == len(kept)
    assert not now & kept


@pytest.mark.slow
def test_one_that_was_killed_goes_on_to_the_same_bytes(dinostream, started, footage, tmp_path):
    films = [footage / f"{number}.mp4" for number in range(3)]
    assert dinostream(*curate(*films, out="whole")).returncode == 0
    process = started(*curate(*films, out="parts"))
    kept = tmp_path / "parts" / "candidates"
    while process.poll() is None and not list(kept.glob("*.safetensors")):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 1 <= len(list(kept.glob("*.safetensors"))) <= 3
    assert dinostream(*curate(*reversed(films), out="parts")).returncode == 0
    assert files(tmp_path / "parts") == files(tmp_path / "whole")


def test_scenes_that_are_fewer_than_wanted_are_all_taken(dinostream, tmp_path):
    scenes = [f"synthetic:yard?seed={n}&seconds=1&fps=5&size=64x36" for n in range(2)]
    done = dinostream(*curate(*scenes, target=9))
    assert done.returncode == 0, done.stderr
    assert "the target is 9, and these are all there are" in done.stdout
    assert len(list((tmp_path / "set" / "pictures").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("absent.mp4", "--threshold", "0.9", "--target", "3", "-o", "set"), 2, "no such file"),
        (("torn.mp4", "--target", "3", "-o", "set"), 2, "measure one with `dedupe calibrate`"),
        (("torn.mp4", "--threshold", "0.9", "-o", "set"), 2, "Missing option '--target'"),
        (("--threshold", "0.9", "--target", "3", "-o", "set"), 2, "Missing argument 'SOURCE...'"),
        (("--threshold", "nan", "torn.mp4"), 2, "nan is not a finite number"),
        (("--seed-images", "empty"), 2, "--seed-images empty: no picture there"),
        (("--reference", "empty"), 2, "--reference empty: no picture there"),
        (("--reference-threshold", "0.5"), 2, "is of reference pictures: give --reference"),
        (("--seed-images", "torn"), 1, "no.png: cannot be read as a picture"),
        (("--clusters", "3"), 2, "--clusters are those that hold seeds"),
        (("--filter", "own:absent"), 2, "--filter own:absent cannot be had"),
        (("--head", "depth=nyu-linear"), 2, "only segmentation has a use here"),
        (("--head", "segmentation=voc2012-linear"), 2, "finds what --blur hides"),
        (("--blur", "persn"), 2, "has no class 'persn'"),
        (("--calibrated", "absent.safetensors"), 2, "cannot read absent.safetensors"),
        (("-o", "torn"), 2, "torn holds something else"),
        (("-o", "set"), 1, "none of 1 recordings can be read"),
    ],
)
def test_what_does_not_do_is_named(dinostream, tmp_path, arguments, code, told):
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "no.png").write_bytes(b"no picture")
    (tmp_path / "torn.mp4").write_bytes(b"no film")
    if "torn.mp4" not in arguments and "--threshold" not in arguments:
        given = ("torn.mp4", "--threshold", "0.9", "--target", "3", "-o", "set", *arguments)
        arguments = given
    done = dinostream("curate", *arguments, *SMALL)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "set" / "report.json").exists()
