"""Heads of the action operator: trained ones in our own layout, random ones, none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from operators.action.build import build_action
from operators.action.operator import action_layout
from operators.backbones.architectures import Architecture
from operators.errors import UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.vector.pooling import POOLINGS
from operators.weights.head_request import HeadRequest, MissingHead

HASH = "a" * 64
LABELS = [f"label {number}" for number in range(7)]


def zeros(arch: Architecture, pooling: str) -> dict[str, torch.Tensor]:
    layout = action_layout(arch, pooling, 8, len(LABELS))
    return {name: torch.zeros(shape) for name, shape in layout.items()}


def request(arch: Architecture, **options: Any) -> HeadRequest:
    return HeadRequest("action", arch, HASH, **options)


def saved(path: Path, arch: Architecture, **changed: Any) -> str:
    """A head in our own layout, as docs/heads.md describes it."""
    header = {
        "format": 1,
        "operator": "action",
        "backbone": HASH,
        "labels": LABELS,
        "pooling": "attention",
        "frames": 8,
    } | changed
    save_file(zeros(arch, "attention"), path, metadata={"dinostream": json.dumps(header)})
    return str(path)


def test_a_trained_head_brings_labels_pooling_and_length(
    tmp_path: Path, tiny: Architecture
) -> None:
    path = saved(tmp_path / "waving.safetensors", tiny)
    action = build_action({"stride": 2}, request(tiny, choice=path))
    assert not action.untrained
    assert action.settings() == {
        "vector": {"blocks": 1, "mean_patch": False},
        "unit": False,
        "pooling": "attention",
        "frames": 8,
        "stride": 2,
        "top": 5,
        "leave": 0.7,
        "thresholds": None,
    }


@pytest.mark.parametrize(
    ("changed", "settings", "why"),
    [
        ({"pooling": "mean"}, {}, "unexpected keys: pool.query"),
        ({"pooling": "median"}, {}, "pooling must be one of mean, concat, attention"),
        ({"labels": LABELS[:6]}, {}, r"classifier.weight is \[7, 192\], the model has \[6, 192\]"),
        ({"labels": "waving"}, {}, "must list labels"),
        ({"labels": []}, {}, "want the names of the classes"),
        ({}, {"pooling": "mean"}, "says pooling 'attention', the settings 'mean'"),
        ({}, {"frames": 16}, "says frames 8, the settings 16"),
        ({"frames": 0}, {}, "frames must be a whole number"),
        ({}, {"stride": 9}, "stride must be a whole number from 1 to 8, got 9"),
        ({}, {"tops": 3}, "did you mean top"),
    ],
)
def test_heads_and_settings_that_do_not_fit(
    tmp_path: Path,
    tiny: Architecture,
    changed: dict[str, Any],
    settings: dict[str, Any],
    why: str,
) -> None:
    path = saved(tmp_path / "waving.safetensors", tiny, **changed)
    with pytest.raises(UsageError, match=why):
        build_action(settings, request(tiny, choice=path))


def test_a_file_without_our_header_is_no_action_head(tmp_path: Path, tiny: Architecture) -> None:
    path = tmp_path / "plain.safetensors"
    save_file(zeros(tiny, "mean"), path)
    with pytest.raises(WeightsError, match="must list labels"):
        build_action({}, request(tiny, choice=str(path)))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_random_and_missing(
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    pooling: str,
) -> None:
    settings = {"pooling": pooling, "frames": 4, "top": 1}
    action = build_action(settings, request(tiny, random_seed=0))
    (result,) = action(features_of([frame(number) for number in range(4)], tiny))
    assert action.untrained
    assert json.loads(result.data)["labels"][0]["name"].startswith("untrained ")
    with pytest.raises(MissingHead, match="it has no head; give one with --head action=PATH"):
        build_action({}, request(tiny))
