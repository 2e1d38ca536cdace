"""`dinostream recommend` as a user calls it."""

from __future__ import annotations

import json
from contextlib import closing

import numpy as np
import pytest

from tests.pipeline.vectors.conftest import SESSION, VARIANT, Archive


def identity(number):
    return f"embedding/gate/{SESSION}/{number}/{VARIANT}"


@pytest.fixture
def database(tmp_path):
    """Sixty frames of a gate; from the thirtieth on, ten of something else."""
    draw = np.random.default_rng(0)
    kinds = np.zeros(60, np.int64)
    kinds[30:40] = 1
    vectors = np.eye(16)[kinds] + draw.normal(size=(60, 16)) * 0.05
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    with closing(Archive(tmp_path / "r.db")) as archive:
        archive.fill(units)
    return "sqlite:r.db"


def test_what_to_look_at_first(dinostream, database, tmp_path):
    done = dinostream("recommend", database, "--first", "--top", "2", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    first = said["frames"][0]
    assert 30 <= int(first["id"].split("/")[3]) < 40
    assert first["worth"] == pytest.approx(first["novelty"] * first["representativeness"], abs=1e-3)
    assert (said["looked_at"], said["of"]) == (60, 60)
    done = dinostream("recommend", database, "--first", "--top", "2", "--sheet", "a.png")
    assert (tmp_path / "a.png").is_file()
    lines = done.stdout.splitlines()
    assert lines[1].strip() == first["id"]
    assert lines[0].startswith("  1  gate at 0:00:3")


def test_what_is_like_the_likes_and_how_well_they_find_each_other(dinostream, database):
    likes = [word for number in (31, 33, 35) for word in ("--like", identity(number))]
    asked = ("recommend", database, *likes, "--dislike", identity(0), "--top", "7")
    done = dinostream(*asked, "--lambda", "1", "--held-out", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    found = [int(one["id"].split("/")[3]) for one in said["frames"]]
    assert sorted(found) == [30, 32, 34, 36, 37, 38, 39]
    assert said["held_out"]["recall"] == 1
    lines = dinostream(*asked, "--held-out").stdout.splitlines()
    assert lines[-1].startswith("held out: recall@7 1.000, NDCG@7 0.")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give --like, maybe --dislike and --held-out, or --first alone"),
        (("--first", "--like", identity(1)), "give --like, maybe"),
        (("--dislike", identity(1)), "give --like, maybe"),
        (("--like", "embedding/gate/x/1/y"), "--like embedding/gate/x/1/y: no such vector"),
        (("--like", identity(1), "--held-out"), "give --like twice or more"),
        (("--like", identity(1), "--lambda", "1.5"), "1.5 is not in the range"),
    ],
)
def test_what_does_not_do_is_named(dinostream, database, arguments, told):
    done = dinostream("recommend", database, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
