"""The action operator with a trained head: thresholds, episodes, vectors, nearest neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from operators.action.build import build_action
from operators.action.operator import Action
from operators.backbones.architectures import Architecture
from operators.errors import UsageError
from operators.frames import Features, FrameInfo
from operators.result import Result
from operators.vector.frame_vector import FrameVector
from operators.weights.head_request import HeadRequest

HASH = "a" * 64
LABELS = ["background", "enter", "leave"]

Run = Callable[[Action, Sequence[FrameInfo]], list[Result]]


@pytest.fixture
def build(tmp_path: Path, tiny: Architecture) -> Callable[..., Action]:
    """`build({"classifier.weight": ...}, {header keys}, setting=...)`."""

    def built(tensors: dict[str, torch.Tensor], facts: dict[str, Any], **settings: Any) -> Action:
        header = {"format": 1, "operator": "action", "backbone": HASH, "labels": LABELS}
        header |= {"pooling": "mean", "frames": 2, "stride": 2} | facts
        path = tmp_path / "head.safetensors"
        save_file(tensors, path, metadata={"dinostream": json.dumps(header)})
        action = build_action(settings, HeadRequest("action", tiny, HASH, choice=str(path)))
        action.load(torch.device("cpu"), torch.float32)
        return action

    return built


@pytest.fixture
def run(features_of: Callable[..., Features], tiny: Architecture) -> Run:
    def ran(action: Action, frames: Sequence[FrameInfo]) -> list[Result]:
        return [
            result
            for first in range(0, len(frames), 8)
            for result in action(features_of(frames[first : first + 8], tiny, grid=(1, 1)))
        ]

    return ran


def linear(width: int) -> dict[str, torch.Tensor]:
    """Classes by a fixed direction: scores go up and down from window to window."""
    draw = np.random.default_rng(3)
    weight = torch.from_numpy(draw.standard_normal((3, width), dtype=np.float32)) / 4
    return {"classifier.weight": weight, "classifier.bias": torch.zeros(3)}


def said(results: Sequence[Result], topic: str) -> list[dict[str, Any]]:
    return [json.loads(result.data) for result in results if result.operator == topic]


def test_a_head_may_say_nothing_and_episodes_follow_its_windows(
    build: Callable[..., Action], run: Run, frame: Callable[..., FrameInfo]
) -> None:
    frames = [frame(number) for number in range(64)]
    everything = build(linear(192), {"thresholds": [0.0, 0.0, 0.0]}, leave=1.0)
    action = build(linear(192), {"thresholds": [0.0, 0.6, 0.6]}, leave=1.0)
    assert [*action.topics] == ["action", "action.episodes"]
    whole = said(run(everything, frames), "action")
    results = run(action, frames) + action.reset("cam", "end")
    windows = said(results, "action")
    assert len(windows) == len(whole) == 32
    silent = [not [label for label in one["labels"] if label["id"]] for one in windows]
    assert any(silent)
    assert not all(silent)
    for one, all_labels in zip(windows, whole, strict=True):
        kept = [
            label for label in all_labels["labels"] if label["id"] == 0 or label["score"] >= 0.6
        ]
        assert one["labels"] == kept
    strong = [
        {label["id"]: label["score"] for label in one["labels"] if label["id"]} for one in windows
    ]
    episodes = said(results, "action.episodes")
    assert sum(one["windows"] for one in episodes) == sum(map(bool, strong))
    assert {one["label"]["name"] for one in episodes} <= {"enter", "leave"}
    places = [one["end"]["position"] for one in episodes]
    assert len(set(places)) == len(places)  # an id of its own each
    for one in episodes:
        covered = [
            strong[number]
            for number, window in enumerate(windows)
            if one["start"]["time"] <= window["start"]["time"] <= window["end"]["time"]
            <= one["end"]["time"]
        ]  # fmt: skip
        label = one["label"]["id"]
        assert one["peak"]["score"] == max(scores[label] for scores in covered)
    order = [(result.info.event_time_us, result.operator) for result in results]
    assert [time for time, _ in order] == sorted(time for time, _ in order)


@pytest.mark.slow
def test_resumed_at_every_frame_with_its_episode(
    build: Callable[..., Action], run: Run, frame: Callable[..., FrameInfo]
) -> None:
    facts = {"thresholds": [0.0, 0.6, 0.6], "stride": 1}
    frames = [frame(number) for number in range(24)]
    undisturbed = build(linear(192), facts)
    want = run(undisturbed, frames) + undisturbed.reset("cam", "end")
    assert said(want, "action.episodes")
    for stop in range(len(frames) + 1):
        before, after = build(linear(192), facts), build(linear(192), facts)
        got = run(before, frames[:stop])
        after.restore("cam", before.snapshot("cam"))
        assert got + run(after, frames[stop:]) + after.reset("cam", "end") == want
    with pytest.raises(ValueError, match="not a state of format 2"):
        after.restore("cam", b'{"format":1}\n')


@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("blocks", [1, 4])
def test_it_reads_the_vector_that_its_header_names(
    build: Callable[..., Action],
    run: Run,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    blocks: int,
    unit: bool,
) -> None:
    vector = FrameVector(blocks, mean_patch=True)
    tensors = linear(vector.width(tiny))
    facts = {"vector": vector.to_json(), "unit_vectors": unit}
    action = build(tensors, facts)
    assert tuple(action.layers) == vector.layers(tiny)
    frames = [frame(0), frame(1)]
    (window,) = said(run_with_norm(action, features_of(frames, tiny, grid=(1, 1))), "action")
    features = with_norm(features_of(frames, tiny, grid=(1, 1)))
    rows = list(vector.of(features, slice(2)).double())
    mean = sum(row / row.norm() if unit else row for row in rows) / 2
    want = (tensors["classifier.weight"].double() @ mean).softmax(dim=0)
    got = {label["id"]: label["score"] for label in window["labels"]}
    np.testing.assert_allclose([got[number] for number in range(3)], want, atol=2e-6)


def with_norm(features: Features) -> Features:
    from dataclasses import replace

    return replace(features, norm=lambda tokens: tokens * 2 + 1)


def run_with_norm(action: Action, features: Features) -> list[Result]:
    return action(with_norm(features))


def test_nearest_neighbours_vote_by_likeness(
    build: Callable[..., Action], run: Run, frame: Callable[..., FrameInfo]
) -> None:
    draw = np.random.default_rng(4)
    memory = torch.from_numpy(draw.standard_normal((20, 192), dtype=np.float32))
    memory /= memory.norm(dim=1, keepdim=True)
    classes = torch.arange(20) % 3
    facts = {"classifier": "knn", "k": 5, "temperature": 0.07, "pooling": "concat", "frames": 1}
    facts["stride"] = 1
    tensors = {"memory.vectors": memory, "memory.classes": classes}
    action = build(tensors, facts)
    one = frame(0)
    (window,) = said(run(action, [one]), "action")
    token = action_token(one)
    likeness = memory.double() @ (token / token.norm())
    nearest = likeness.topk(5).indices
    votes = (likeness[nearest] / 0.07).softmax(dim=0)
    want = [float(votes[classes[nearest] == number].sum()) for number in range(3)]
    got = {label["id"]: label["score"] for label in window["labels"]}
    np.testing.assert_allclose([got[number] for number in range(3)], want, atol=2e-6)
    for wrong, why in (
        ({"k": 21}, "k in its header must be from 1 to its 20 examples, got 21"),
        ({"temperature": 0}, "temperature in its header must be above 0"),
        ({"classifier": "forest"}, "says classifier 'forest'; allowed are linear, motion, knn"),
        ({"labels": LABELS[:2]}, "memory.classes must be from 0 to 1"),
    ):
        with pytest.raises(UsageError, match=why):
            build(tensors, facts | wrong)


def action_token(info: FrameInfo) -> torch.Tensor:
    """The class token that the double `features_of` makes for a frame of stream `cam`."""
    draw = np.random.Generator(np.random.PCG64([*info.stream.encode(), int(info.position)]))
    tokens = draw.standard_normal((13, 2, 192), dtype=np.float32)
    return torch.from_numpy(tokens[-1, 0]).double()


def test_a_threshold_of_the_settings_goes_before_the_heads(
    build: Callable[..., Action], run: Run, frame: Callable[..., FrameInfo]
) -> None:
    frames = [frame(number) for number in range(8)]
    action = build(linear(192), {"thresholds": [0.9, 0.9, 0.9]}, threshold=0.0)
    assert all(len(one["labels"]) == 3 for one in said(run(action, frames), "action"))
