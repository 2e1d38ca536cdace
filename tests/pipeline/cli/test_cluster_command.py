"""`dinostream cluster` as a user calls it."""

from __future__ import annotations

import json
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from tests.pipeline.vectors.conftest import Archive


@pytest.fixture
def database(tmp_path):
    """Frames of three kinds: thirty, twenty and ten."""
    draw = np.random.default_rng(0)
    kinds = np.repeat(np.arange(3), (30, 20, 10))
    vectors = np.eye(16)[kinds] + np.eye(16)[9] * 2 + draw.normal(size=(60, 16)) * 0.03
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    with closing(Archive(tmp_path / "r.db")) as archive:
        archive.fill(units)
    return "sqlite:r.db"


def test_kinds_of_frames_become_files_the_same_every_time(dinostream, database, tmp_path):
    done = dinostream("cluster", database, "-o", "out")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("3 clusters stand apart best, silhouette 0.")
    assert lines[1].startswith("  1  30 frames (50.0%), 0:00:00.0 to 0:00:29.0, closeness 0.9")
    assert lines[-1] == "wrote out"
    said = json.loads((tmp_path / "out" / "clusters.json").read_text())
    assert [one["frames"] for one in said["clusters"]] == [30, 20, 10]
    assert len((tmp_path / "out" / "members.jsonl").read_text().splitlines()) == 60
    again = dinostream("cluster", database, "--k", "3", "-o", "again", "--json")
    assert json.loads(again.stdout)["clusters"] == said["clusters"]


def test_a_sheet_has_a_cell_for_each_though_the_footage_is_another(dinostream, database, tmp_path):
    media = "synthetic:yard?seed=1&seconds=1&fps=5&size=64x36"
    done = dinostream(
        *("cluster", database, "--k", "3", "-o", "out", "--sheet", "a.png", "--media", media)
    )
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.size[0] == 1600


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--k", "0"), "'0' is neither auto nor a whole number from 1"),
        (("--k", "three"), "'three' is neither auto nor"),
        (("--sheet", "a.jpg"), "--sheet a.jpg: its name has to end in .png"),
        (("--sheet", "no/a.png"), "cannot write no/a.png"),
        (("--media", "absent.mp4", "--sheet", "a.png"), "no such file"),
        (("--k", "61"), "60 frames are too few for 61 clusters"),
        (("--since", "2026-01-01T00:00:00Z"), "vectors"),
    ],
)
def test_what_does_not_do_is_named(dinostream, database, arguments, told):
    done = dinostream("cluster", database, "-o", "out", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
