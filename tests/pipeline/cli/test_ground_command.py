"""`dinostream ground`: words -> boxes -> records, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.outside_twins import write_grounding_dino

RUN = ("--runtime", "inline", "--weights", "demo", "--threads", "1", "--fps", "5")


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_boxes_by_words_become_records_of_the_same_frames(dinostream, small_clip, tmp_path):
    write_grounding_dino(tmp_path / "dino")
    small_clip(tmp_path / "yard.mp4", "bars", frames=10)
    asked = ("--text", "red car", "--text", "cat", "--box-threshold", "0.4")
    found = dinostream(
        "ground", "yard.mp4", *asked, "--weights-grounding", "dino", "-o", "boxes.jsonl"
    )
    assert found.returncode == 0, found.stderr
    assert "replay yard.mp4 --fps 5 --operator detect --head detect=boxes.jsonl" in found.stdout
    told = {one["position"]: one for one in lines((tmp_path / "boxes.jsonl").read_text())[1:]}
    assert len(told) == 5
    done = dinostream(
        *("replay", "yard.mp4", *RUN, "--sink", "sqlite:r.db"),
        *("--operator", "detect", "--operator", "track", "--head", "detect=boxes.jsonl"),
    )
    assert done.returncode == 0, done.stderr
    records = lines(dinostream("tail", "sqlite:r.db", "detections").stdout)
    assert [one["id"].split("/")[3] for one in records] == list(told)
    assert len({one["variant"] for one in records}) == 1
    for one in records:
        want = told[one["id"].split("/")[3]]["objects"]
        assert one["session"] == told[one["id"].split("/")[3]]["session"]
        assert not {"untrained", "outofdomain"} & set(one)
        for got, thing in zip(one["data"]["objects"], want, strict=True):
            assert got["box"] == pytest.approx(thing["box"], abs=0.011)
            assert (got["name"], got["score"]) == (thing["name"], pytest.approx(thing["score"]))
    assert len(lines(dinostream("tail", "sqlite:r.db", "tracks").stdout)) == 5


@pytest.mark.slow
def test_frames_that_a_file_does_not_tell_are_silent_and_no_empty_frames_to_track(
    dinostream, small_clip, tmp_path
):
    small_clip(tmp_path / "yard.mp4", "bars", frames=10)
    cat = {"box": [1, 2, 30, 40], "name": "cat", "score": 0.5}
    first = {"stream": "yard.mp4", "time": "1970-01-01T00:00:00Z", "objects": [cat]}
    (tmp_path / "boxes.jsonl").write_text(json.dumps(first))
    dinostream(
        *("replay", "yard.mp4", *RUN, "--sink", "sqlite:r.db"),
        *("--operator", "detect", "--operator", "track", "--head", "detect=boxes.jsonl"),
    )
    (record,) = lines(dinostream("tail", "sqlite:r.db", "detections").stdout)
    assert record["data"]["objects"] == [{**cat, "id": 0}]
    letters = lines(dinostream("tail", "sqlite:r.db", "deadletter").stdout)
    assert len(letters) == 5, "whoever remembers fails on a run of frames as a whole"
    assert {one["data"]["operator"] for one in letters} == {"track"}
    assert "tells nothing of frame" in letters[0]["data"]["detail"]
    assert lines(dinostream("tail", "sqlite:r.db", "tracks").stdout) == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--text", "cat"), "nowhere: is not there; --weights-grounding takes a folder with"),
        (("--text", " . "), "nothing to look for: give --text"),
        ((), "Missing option '--text'"),
        (("--text", "cat", "--box-threshold", "1.5"), "1.5 is not in the range 0<=x<=1"),
        (
            ("--text", "cat", "-o", "gone/boxes.jsonl"),
            "cannot write gone/boxes.jsonl: No such file",
        ),
        (("--text", "cat", "-o", "boxes.json"), "-o takes a file ending in .jsonl"),
    ],
)
def test_bad_usage_ends_before_any_work(dinostream, tmp_path, options, why):
    usual = ("ground", "synthetic:yard?seconds=1", "--weights-grounding", "nowhere")
    done = dinostream(*usual, "-o", "boxes.jsonl", *options)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_boxes_is_not_measured_on_pictures(dinostream, tmp_path):
    (tmp_path / "boxes.jsonl").write_text("")
    done = dinostream(
        *("eval", "detect", "--head", "boxes.jsonl", "--synthetic", "world", "--seeds", "0:2")
    )
    assert done.returncode == 2
    assert "boxes of a file are of its frames alone" in done.stderr
