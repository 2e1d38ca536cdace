"""`eval anomaly`: heads on footage, and memories of rendered cameras, beside what knows nothing."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.cli import main
from pipeline.fit.strangers import covered, watched, yard
from pipeline.media.encode import write_clip

pytestmark = pytest.mark.slow

BACKBONE = ("--model", "dinov2_vitti14", "--weights", "random", "--short-side", "56")


def filmed(path: Path, seed: int, *, odd: bool = False) -> None:
    """A still camera's clip of 2 s: a wall with a little noise, maybe with a square before it."""
    wall = np.random.default_rng(99).integers(0, 255, (4, 6, 3)).repeat(14, 0).repeat(14, 1)
    noise = np.random.default_rng(seed).integers(-4, 5, (8, *wall.shape))
    pictures = (wall + noise).clip(0, 255).astype(np.uint8)
    if odd:
        pictures[:, 14:42, 28:56] = np.random.default_rng(5).integers(0, 255, (28, 28, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(path, pictures, fps=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    threads, folder = torch.get_num_threads(), tmp_path_factory.mktemp("camera")
    for number in range(2):
        filmed(folder / "march" / f"{number}.mp4", number)
    filmed(folder / "may" / "0.mp4", 20)
    filmed(folder / "odd" / "0.mp4", 40, odd=True)
    fit = (
        "--normal",
        folder / "march",
        "--fps",
        4,
        "--prototypes",
        2,
        "-o",
        folder / "head.safetensors",
    )
    run("fit", "anomaly", *fit, "--cache", folder / "cache", *BACKBONE)
    yield folder
    torch.set_num_threads(threads)


def run(*arguments: object, code: int = 0) -> str:
    said, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
        assert main([*map(str, arguments)]) == code, wrong.getvalue()
    return said.getvalue() if code == 0 else wrong.getvalue()


def measured(folder: Path, *more: object, code: int = 0) -> Any:
    own = (
        "--head",
        folder / "head.safetensors",
        "--cache",
        folder / "cache",
        "--json",
        *BACKBONE,
        *more,
    )
    said = run("eval", "anomaly", *own, code=code)
    return json.loads(said) if code == 0 else said


def test_footage_is_told_apart_and_others_stand_beside(folder: Path) -> None:
    kinds = ("--normal", folder / "may", "--normal", folder / "march" / "0.mp4")
    kinds += ("--odd", folder / "odd")
    told = measured(folder, *kinds, "--beside", "--fitted", folder / "march", "-o", folder / "out")
    assert (told["task"], told["samples"], told["groups"]) == ("anomaly", 24, 3)
    numbers = {name: one["value"] for name, one in told["estimates"].items()}
    assert [*numbers] == [
        *("frames", "over, normal", "over, odd", "frames, random weights", "frames, pixels")
    ]
    assert numbers["frames"] == numbers["frames, random weights"], "they are random already"
    assert numbers["frames"] == numbers["frames, pixels"] == 1
    assert numbers["over, odd"] == 1
    assert numbers["over, normal"] < 0.5
    assert told["constant"]["frames"]["value"] == 0.5
    assert told["given_to_fit"] == 1
    assert told["notes"][0].startswith("CAUTION: the fit of this head was given 1 of the 3")
    assert json.loads((folder / "out" / "anomaly.json").read_text()) == told


def test_what_cannot_be_measured_is_refused(folder: Path) -> None:
    assert "give --head with --normal and --odd, or --synthetic yard" in run(
        "eval", "anomaly", code=2
    )
    assert "give --normal DIR and --odd DIR" in measured(folder, code=2)
    kinds = ("--normal", folder / "may", "--odd", folder / "odd")
    assert "--beside and --fitted go together" in measured(folder, *kinds, "--beside", code=2)
    shutil.copy(folder / "may" / "0.mp4", folder / "copy.mp4")
    twice = ("--normal", folder / "may", "--odd", folder / "copy.mp4")
    assert "is among the normal recordings and among the odd ones" in measured(
        folder, *twice, code=2
    )
    scenes = ("eval", "anomaly", "--synthetic", "yard", "--seeds", "700:701", *BACKBONE)
    assert "has its own footage" in run(*scenes, "--odd", folder / "odd", code=2)
    nobody = (*scenes, "--seconds", 20, "--bodies", 1, "--stranger", "vehicle")
    assert "no vehicle comes in the last third of any of these 1 scenes" in run(*nobody, code=2)


def test_rendered_cameras_know_where_a_stranger_is() -> None:
    scenes = ("--synthetic", "yard", "--seeds", "700:701", "--seconds", 60, "--beside")
    everybody = [word for label in ("box", "sphere", "vehicle") for word in ("--stranger", label)]
    told = json.loads(
        run(
            "eval",
            "anomaly",
            *scenes,
            "--bodies",
            1,
            *everybody,
            *BACKBONE[:4],
            "--json",
            "--short-side",
            112,
        )
    )
    names = [f"{what}{by}" for by in ("", ", pixels") for what in ("frames", "cells")]
    assert [*told["estimates"]] == names, "random weights are not beside random weights"
    assert told["estimates"]["cells"]["value"] > 0.6
    assert told["estimates"]["cells, pixels"]["value"] > 0.6


def test_a_yard_is_learnt_before_anybody_comes() -> None:
    seen = watched(yard(700, 1, 60, 112, 14), ("box", "sphere", "vehicle"), 14)
    assert seen is not None
    assert len(seen.learnt) + len(seen.calm) < len(seen.usual)
    assert seen.cells.shape == (len(seen.strange), 8, 14)
    assert (seen.cells.sum(axis=(1, 2)) >= 2).all()
    assert seen.cells.mean() < 0.3, "what stands there always is nobody who comes"
    half = np.zeros((1, 28, 28), bool)
    half[0, :14, :7] = True
    assert covered(half, 14).tolist() == [[[0.5, 0.0], [0.0, 0.0]]]
