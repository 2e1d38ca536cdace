"""From normal footage to a head that a run uses: what is new is told, and where."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.cli import main
from pipeline.features.store import FeatureStore
from pipeline.media.encode import write_clip
from pipeline.records.record import Message

SQUARE = (slice(14, 42), slice(28, 56))  # four patches
BACKBONE = ("--model", "dinov2_vitti14", "--weights", "random", "--short-side", "56")


def filmed(path: Path, seed: int, *, new: bool = False, turned: bool = False) -> Path:
    """A still camera's clip of 4 s: a wall with a little noise, maybe with a square before it."""
    wall = np.random.default_rng(99).integers(0, 255, (4, 6, 3)).repeat(14, 0).repeat(14, 1)
    noise = np.random.default_rng(seed).integers(-4, 5, (16, *wall.shape))
    pictures = (wall + noise).clip(0, 255).astype(np.uint8)
    if new:
        pictures[8:, *SQUARE] = np.random.default_rng(5).integers(0, 255, (28, 28, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(path, pictures.transpose(0, 2, 1, 3) if turned else pictures, fps=4)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("camera")
    for number in range(5):
        filmed(folder / "normal" / f"{number}.mp4", number)
    filmed(folder / "new.mp4", 50, new=True)
    return folder


def fitted(*arguments: object) -> dict[str, Any]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([*map(str, ("fit", "anomaly", *arguments, *BACKBONE, "--json"))]) == 0
    said: dict[str, Any] = json.loads(printed.getvalue())
    return said


def refused(why: str, *arguments: object) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        assert main([*map(str, ("fit", "anomaly", *arguments, *BACKBONE))]) == 2
    assert re.search(why, printed.getvalue()), printed.getvalue()


@pytest.fixture(scope="module")
def report(folder: Path) -> Any:
    threads = torch.get_num_threads()
    yield fitted(
        *("--normal", folder / "normal", "--fps", 4, "--prototypes", 3),
        *("--cache", folder / "cache", "-o", folder / "wall.safetensors"),
    )
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_a_head_says_what_it_is_and_how_often_it_would_alarm(report: dict[str, Any]) -> None:
    assert (report["grid"], report["short_side"], report["quantile"]) == ([4, 6], 56, 0.999)
    assert 0 < report["threshold"] < 0.5
    assert len(report["sources"]) == 5
    assert report["metrics"]["measured_on"] == "test, 1 files, 0.00111 h"
    rate = report["metrics"]["false_alarms_per_hour"]
    assert rate["low"] <= rate["value"] <= rate["high"]
    assert rate["high"] > 3000  # an alarm's chance in 4 s
    assert "16 frames of 1 files put aside" in report["notes"][0]
    assert "16 frames cannot tell that quantile" in report["notes"][1]
    assert len(report["notes"]) == 2


@pytest.mark.slow
def test_a_run_tells_what_is_new_and_where(
    folder: Path, report: dict[str, Any], replayed: Callable[..., list[Message]], tmp_path: Path
) -> None:
    heads = {"anomaly": str(folder / "wall.safetensors")}
    given = {"sampling": {"fps": 4}, "seed": 0}
    sink = f"sqlite:{tmp_path / 'results.db'}"
    records = replayed(folder / "new.mp4", ["anomaly"], sink, heads, **given)
    told = [json.loads(one.value) for one in records if one.topic == "anomaly.summary"]
    assert [one["over"] for one in told] == [False] * 8 + [True] * 8
    for one in told[8:]:
        assert one["threshold"] == report["threshold"]
        left, top, right, bottom = one["largest"]["box"]
        assert left <= 28 < 56 <= right
        assert top <= 14 < 42 <= bottom


@pytest.mark.slow
def test_the_same_footage_makes_the_same_head_and_is_computed_once(
    folder: Path, report: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FeatureStore, "_add", lambda *_: pytest.fail("computed again"))
    for number in range(5):  # other names, in another order
        shutil.copy(folder / "normal" / f"{number}.mp4", tmp_path / f"{9 - number}.mp4")
    shutil.copy(tmp_path / "5.mp4", tmp_path / "copy.mp4")  # which counts once
    again = fitted(
        *("--normal", tmp_path / "*.mp4", "--fps", 4, "--prototypes", 3),
        *("--cache", folder / "cache", "-o", tmp_path / "wall.safetensors"),
    )
    assert again["sha256"] == report["sha256"]


@pytest.mark.slow
def test_few_files_flatter_the_rate_and_it_is_said(folder: Path, tmp_path: Path) -> None:
    normal = [("--normal", folder / "normal" / f"{number}.mp4") for number in range(2)]
    told = fitted(
        *(part for one in normal for part in one),
        *("--fps", 4, "--cache", folder / "cache", "-o", tmp_path / "two.safetensors"),
    )
    assert told["metrics"]["measured_on"].startswith("validation, 1 files")
    assert told["metrics"]["false_alarms_per_hour"]["value"] == 0
    assert "fewer than 5 files" in told["notes"][-1]


def test_footage_that_does_not_do_is_refused_with_the_reason(folder: Path, tmp_path: Path) -> None:
    out = ("--cache", tmp_path / "cache", "-o", tmp_path / "x.safetensors")
    one, other = folder / "normal" / "0.mp4", folder / "normal" / "1.mp4"
    refused("Missing option '--normal'", *out)
    refused("nothing|no such|no file", "--normal", tmp_path / "absent", *out)
    refused(r"0\.mp4 is one recording alone", "--normal", one, *out)
    copy = shutil.copy(one, tmp_path / "copy.mp4")
    refused("are copies of one recording", "--normal", one, "--normal", copy, *out)
    turned = filmed(tmp_path / "turned.mp4", 7, turned=True)
    wanted = r"0\.mp4 has 4 x 6, .*turned\.mp4 has 6 x 4; fit a head for each camera"
    refused(wanted, "--normal", one, "--normal", other, "--normal", turned, *out)
    assert not (tmp_path / "x.safetensors").exists()
