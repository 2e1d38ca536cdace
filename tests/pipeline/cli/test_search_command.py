"""`dinostream index` and `dinostream search`, from footage to episodes."""

from __future__ import annotations

import json
import signal
from contextlib import closing

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pipeline.cli import index
from pipeline.drawing.palette import NOTHING
from pipeline.errors import SinkError
from pipeline.search import sink_table
from pipeline.vectors.table import Table
from tests.pipeline.vectors.conftest import MODEL, SESSION, VARIANT, Archive, directions

SMALL = ("--weights", "random", "--model", "dinov2_vitti14", "--short-side", "28")
KINDS = ("bars", "rows", "dark", "bright")


@pytest.mark.slow
def test_from_footage_to_episodes(dinostream, tmp_path, small_clip, small_picture):
    """Two seconds of each kind of picture; one of a kind finds those two seconds."""
    clip = small_clip(tmp_path / "clip.mp4", *KINDS)
    replay = ("replay", clip, *SMALL, "--operator", "embedding", "--runtime", "inline")
    done = dinostream(*replay, "--sink", "sqlite:r.db")
    assert done.returncode == 0, done.stderr

    dark = small_picture(tmp_path / "dark.png", "dark", 8)
    asked = ("--image", dark, "--json", "--cache", tmp_path / "cache", "--apart", "0.5")
    done = dinostream("search", "sqlite:r.db", *asked, "--sheet", "a.png", "--media", clip)
    assert done.returncode == 0, done.stderr
    best, *_ = found = json.loads(done.stdout)
    assert (best["start"], best["end"]) == (
        "1970-01-01T00:00:04.000000Z",
        "1970-01-01T00:00:05.800000Z",
    )
    assert best["hits"] == 10
    assert best["film"].startswith(f"dinostream render sqlite:r.db --source {clip} --stream clip")
    assert "these vectors are of untrained weights" in done.stderr
    with Image.open("a.png") as sheet:
        plain = np.abs(np.asarray(sheet, int) - NOTHING).max(axis=2) < 2
    assert plain.mean() < 0.01

    indexed = dinostream("index", "sqlite:r.db", "-o", "vectors")
    assert indexed.returncode == 0, indexed.stderr
    assert indexed.stdout.startswith("vectors: 40 vectors of 192 numbers, dinov2_vitti14-")
    again = dinostream("search", "vectors", *asked, "--media", clip)
    assert json.loads(again.stdout) == found

    like = dinostream("search", "vectors", "--like", best["id"], "--top", "1", "--apart", "0.5")
    assert like.returncode == 0, like.stderr
    assert like.stdout.splitlines()[0].startswith("  1  0.")
    assert best["id"] not in like.stdout

    other = dinostream("search", "vectors", *asked, "--weights", "demo")
    assert other.returncode == 2
    assert "--weights demo is dinov2_vitti14-" in other.stderr
    (tmp_path / "notes.jpg").write_text("no picture")
    none = dinostream("search", "vectors", "--image", "notes.jpg")
    assert none.returncode == 1
    assert "notes.jpg: cannot be read as a picture" in none.stderr


def test_a_sheet_without_footage_says_so_in_its_cells(dinostream, tmp_path):
    with closing(Archive(tmp_path / "r.db")) as archive:
        archive.fill(directions(5))
    done = dinostream("search", "sqlite:r.db", "--at", "gate@0", "--apart", "1", "--sheet", "a.png")
    assert done.returncode == 0, done.stderr
    assert "wrote a.png" in done.stderr
    with Image.open("a.png") as sheet:
        assert (np.abs(np.asarray(sheet, int) - NOTHING).max(axis=2) < 2).mean() > 0.1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say what is looked for: --image, --clip, --at or --like"),
        (("--at", "gate@0", "--sheet", "a.jpg"), "--sheet a.jpg: its name has to end in .png"),
        (("--at", "yard@0", "--sheet", "no/a.png"), "cannot write no/a.png"),
        (("--at", "yard@0"), "no stream 'yard'"),
        (("--at", "gate@0", "--stream", "gat"), "no stream 'gat'; did you mean gate"),
        (("--like", "embedding/gate/x/1/y"), "there is no vector of embedding/gate/x/1/y"),
    ],
)
def test_questions_that_are_none_are_refused(dinostream, tmp_path, arguments, told):
    with closing(Archive(tmp_path / "r.db")) as archive:
        archive.fill(directions(5))
    done = dinostream("search", "sqlite:r.db", *arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_folder_of_two_variants_is_searched_by_those_that_are_named(dinostream, tmp_path):
    """As `cluster`, `dedupe` and `recommend` do; whether it is asked with a moment or a record."""
    other = "f" * 12
    with closing(Archive(tmp_path / "r.db")) as archive:
        archive.fill(directions(5))
        archive.fill(directions(5, seed=1), "yard", variant=other)
    named = ("--variant", VARIANT, "--variant", other)
    assert dinostream("index", "sqlite:r.db", "-o", "vectors", *named).returncode == 0
    identity = f"embedding/yard/{SESSION}/1/{other}"
    for asked in (("--at", "gate@0"), ("--like", identity)):
        for place in ("sqlite:r.db", "vectors"):
            refused = dinostream("search", place, *asked)
            assert refused.returncode == 2
            assert f"variants {VARIANT} of {MODEL} and {other} of {MODEL}" in refused.stderr
            found = dinostream("search", place, *asked, *named, "--apart", "0", "--json")
            assert {one["stream"] for one in json.loads(found.stdout)} == {"gate", "yard"}
    alone = dinostream("search", "vectors", "--like", identity, "--variant", VARIANT)
    assert (alone.returncode, f"is of variant {other}, and vectors of" in alone.stderr) == (2, True)


@pytest.mark.slow
def test_an_index_follows_what_is_written_until_it_is_interrupted(started, tmp_path):
    process = started("index", "sqlite:r.db", "-o", "vectors", "--follow")
    assert "Waiting for it" in process.stderr.readline()
    with closing(Archive(tmp_path / "r.db")) as archive:
        for count, stream in ((3, "gate"), (4, "yard")):
            archive.fill(directions(count), stream)
            lines = iter(process.stderr.readline, "")
            assert any(line.startswith(f"{count} vectors of {count} records") for line in lines)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    assert len(Table(tmp_path / "vectors")) == 7


def test_a_sink_that_is_away_for_a_while_is_waited_for(tmp_path, monkeypatch):
    """What a broker's readers raise while it is away; told once, and gathering goes on."""
    with closing(Archive(tmp_path / "r.db")) as archive:
        archive.fill(directions(3))
    away, passes = SinkError("the broker is away"), iter((None, *2 * [True], None))

    def gathered(*given, **how):
        one = next(passes, "over")
        if one == "over":
            raise KeyboardInterrupt
        if one:
            raise away
        return sink_table.gathered_before(*given, **how)

    monkeypatch.setattr(sink_table, "gathered_before", sink_table.gathered, raising=False)
    monkeypatch.setattr(sink_table, "gathered", gathered)
    monkeypatch.setattr(index, "POLL_S", 0.0)
    sink, folder = f"sqlite:{tmp_path / 'r.db'}", str(tmp_path / "v")
    done = CliRunner().invoke(index.command, [sink, "-o", folder, "--follow"])
    assert done.output.count("the broker is away. Waiting for it") == 1
    assert len(Table(tmp_path / "v")) == 3
