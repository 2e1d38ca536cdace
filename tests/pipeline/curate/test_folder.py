"""A data set is written anew by each command, and belongs to one at a time."""

import hashlib
import json

import numpy as np
from PIL import Image

from pipeline.curate.chosen import Chosen, entries_of
from pipeline.curate.folder import open_folder
from pipeline.curate.selection import Decision

SHEET = Image.new("RGB", (8, 8))


def chosen(harvest, *verdicts):
    entries = entries_of([harvest])
    said = [Decision(one, f"why {one}", None if one == "far" else 3) for one in verdicts]
    return [Chosen(*one) for one in zip(entries, said, strict=True)]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_pictures_and_what_is_said_of_them(harvested, tmp_path):
    given = harvested(np.eye(8)[:3], session="c0ffee")
    with open_folder(tmp_path / "set") as dataset:
        dataset.write(chosen(given, "taken", "far", "taken"), {"steps": []}, SHEET)
    (first, second) = lines(tmp_path / "set" / "manifest.jsonl")
    assert first == {
        "picture": "pictures/gate-c0ffee-0.jpg",
        "sha256": hashlib.sha256(given.candidates[0].jpeg).hexdigest(),
        "source": "/films/gate",
        "stream": "gate",
        "session": "c0ffee",
        "position": "0",
        "time": "1970-01-01T00:00:00.000000Z",
        "cluster": 3,
        "reason": "why taken",
    }
    for one in (first, second):
        data = (tmp_path / "set" / one["picture"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one["sha256"]
    (other,) = lines(tmp_path / "set" / "left_out.jsonl")
    assert (other["position"], other["verdict"], other["reason"]) == ("512", "far", "why far")
    assert "cluster" not in other
    assert json.loads((tmp_path / "set" / "report.json").read_text()) == {"steps": []}


def test_another_wish_replaces_the_pictures_and_keeps_the_candidates(harvested, tmp_path):
    given = harvested(np.eye(8)[:2])
    for verdicts in (("taken", "far"), ("far", "taken")):
        with open_folder(tmp_path) as dataset:
            dataset.keep("key", given)
            dataset.write(chosen(given, *verdicts), {}, SHEET)
    assert [one.name[-7:] for one in (tmp_path / "pictures").iterdir()] == ["512.jpg"]
    with open_folder(tmp_path) as dataset:
        kept = dataset.harvest("key")
        assert kept is not None
        assert kept.candidates == given.candidates
        assert dataset.harvest("other") is None


def test_what_other_settings_gave_goes(harvested, tmp_path):
    given = harvested(np.eye(8)[:2])
    with open_folder(tmp_path) as dataset:
        for key in ("shown", "hidden"):
            dataset.keep(key, given)
        dataset.keep_only(["hidden", "torn"])
        assert dataset.harvest("shown") is None
        assert dataset.harvest("hidden") is not None
    assert [one.name for one in (tmp_path / "candidates").iterdir()] == ["hidden.safetensors"]


def test_what_one_that_was_killed_has_left_goes(tmp_path):
    with open_folder(tmp_path):
        pass
    (tmp_path / "candidates" / ".x.safetensors.5.part").write_bytes(b"half")
    with open_folder(tmp_path):
        assert list((tmp_path / "candidates").iterdir()) == []
