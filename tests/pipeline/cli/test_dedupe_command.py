"""`dinostream dedupe` as a user calls it, from footage to marks."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from operators.groups.grid import unit_rows
from tests.pipeline.vectors.conftest import MODEL, Archive, directions

SMALL = ("--weights", "random", "--model", "dinov2_vitti14", "--short-side", "28")
KINDS = ("bars", "dark")


@pytest.mark.slow
def test_from_footage_to_marks(dinostream, tmp_path, small_clip, small_picture):
    """A second of each kind of picture, twice; one of a kind drops it."""
    clips = [small_clip(tmp_path / "clips" / f"{kind}.mp4", kind) for kind in KINDS]
    done = dinostream(
        *("dedupe", "calibrate", tmp_path / "clips", *SMALL, "--fps", "5", "--precision", "0.9"),
        *("-o", "alike.safetensors", "--picture", "alike.png", "--json"),
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured["pairs"] == {"copies": 120, "others": 600, "frames": 20, "recordings": 2}
    assert measured["point"]["precision"] >= 0.9
    assert (tmp_path / "alike.png").is_file()

    replay = ("replay", *clips, *SMALL, "--operator", "embedding", "--runtime", "inline")
    assert dinostream(*replay, "--sink", "sqlite:r.db").returncode == 0
    small_picture(tmp_path / "tests" / "dark.png", "dark")
    mark = ("dedupe", "sqlite:r.db", "--calibrated", "alike.safetensors", "-o", "m.jsonl")
    done = dinostream(*mark, "--drop-like", "tests", "--cache", "cache", "--json")
    assert done.returncode == 0, done.stderr
    marks = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    of = {
        name: [one for one in marks if one["stream"] == name] for name in ("bars.mp4", "dark.mp4")
    }
    assert [one["verdict"] for one in of["dark.mp4"]] == ["dropped"] * 10
    assert of["bars.mp4"][0]["verdict"] == "kept"
    assert {one["of"] for one in of["dark.mp4"]} == {"dark.png"}
    told = json.loads(done.stdout)
    assert (told["records"], told["dropped"], told["calibrated"]) == (20, 10, True)


@pytest.fixture
def database(tmp_path):
    """Ten frames, of which the last four repeat the first four."""
    vectors = directions(6)
    with closing(Archive(tmp_path / "r.db")) as archive:
        archive.fill(np.concatenate((vectors, vectors[:4])))
    return "sqlite:r.db"


def test_a_threshold_by_hand_is_told(dinostream, database, tmp_path):
    done = dinostream("dedupe", database, "--threshold", "0.99", "-o", "m.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "10 records at cosine 0.99: 6 kept, 4 duplicates; the largest component has 2\n"
        "wrote m.jsonl\n"
    )
    assert "threshold 0.99 was given by hand: nobody has measured it" in done.stderr
    marks = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert [one["verdict"] for one in marks] == ["kept"] * 6 + ["duplicate"] * 4
    assert [one["of"] for one in marks[6:]] == [one["id"] for one in marks[:4]]
    same = dinostream("dedupe", "mark", database, "--threshold", "0.99", "-o", "n.jsonl")
    assert same.returncode == 0
    assert (tmp_path / "n.jsonl").read_bytes() == (tmp_path / "m.jsonl").read_bytes()


def test_a_threshold_by_hand_is_not_called_calibrated(dinostream, database):
    """Also where a calibration says how vectors are compared."""
    calibration_of(MODEL).write(Path("own.safetensors"))
    for by_hand in ((), ("--threshold", "0.9")):
        given = ("--calibrated", "own.safetensors", *by_hand, "-o", "m.jsonl", "--json")
        done = dinostream("dedupe", database, *given)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["calibrated"] == (not by_hand)
        assert (told["threshold"], told["compared"]) == (0.9 if by_hand else 0.5, "centred")
    done = dinostream("dedupe", database, "--threshold", "0.9", "-o", "m.jsonl", "--json")
    told = json.loads(done.stdout)
    assert (told["calibrated"], told["compared"]) == (False, "raw")


def test_an_index_is_marked_as_its_sink(dinostream, database, tmp_path):
    assert dinostream("index", database, "-o", "vectors").returncode == 0
    for place, name in ((database, "a.jsonl"), ("vectors", "b.jsonl")):
        assert dinostream("dedupe", place, "--threshold", "0.5", "-o", name).returncode == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def calibration_of(model):
    from operators.groups.whitening import centring
    from pipeline.dedupe.calibration import Calibration
    from pipeline.dedupe.measuring import Point

    point = Point(0.5, 1.0, 1.0, 0)
    return Calibration(
        model, 28, "centred", 0.9, point, {}, {}, (point,), centring(unit_rows(directions(6)))
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-o", "m.jsonl"), "no cosine means the same with all weights: measure one with `dedupe"),
        (("--threshold", "0.9"), "Missing option '-o'"),
        (("--threshold", "nan", "-o", "m.jsonl"), "nan is not a finite number"),
        (("--threshold", "1", "-o", "m.jsonl"), "1.0 is not in the range -1<=x<=0.9999"),
        (("--calibrated", "absent.safetensors", "-o", "m.jsonl"), "cannot read absent.safetensors"),
        (("--calibrated", "other.safetensors", "-o", "m.jsonl"), "the calibration is of another-1"),
        (("--threshold", "0.9", "-o", "no/m.jsonl", "--stream", "yard"), "cannot write no/m.jsonl"),
        (("--threshold", "0.9", "-o", "m.jsonl", "--drop-like", "empty"), "empty: no picture the"),
        (("--threshold", "0.9", "-o", "m.jsonl", "--stream", "yard"), "no stream 'yard'"),
    ],
)
def test_what_does_not_do_is_named(dinostream, database, tmp_path, arguments, told):
    (tmp_path / "empty").mkdir()
    calibration_of("another-1").write(tmp_path / "other.safetensors")
    done = dinostream("dedupe", database, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "m.jsonl").exists()


def test_footage_that_is_none_is_named(dinostream):
    done = dinostream("dedupe", "calibrate", "absent.mp4")
    assert (done.returncode, "no such file" in done.stderr) == (2, True)
    done = dinostream("dedupe", "calibrate", "absent.mp4", "-o", "a.json")
    assert "a.json: a calibration's name ends in .safetensors" in done.stderr
    done = dinostream("dedupe", "calibrate", "absent.mp4", "-o", "no/a.safetensors")
    assert "cannot write no/a.safetensors" in done.stderr  # told before the footage is looked for
