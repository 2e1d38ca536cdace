"""Actions: windows through batches and gaps, pooling by its formulas, resumption."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import torch

from operators.action.operator import Action, ActionWindows, action_layout
from operators.backbones.architectures import Architecture
from operators.errors import DinostreamError
from operators.frames import Features, FrameInfo
from operators.result import Result
from operators.vector.classes import Classes
from operators.vector.pooling import POOLINGS
from operators.weights.heads import Head

HASH = "a" * 64
LABELS = [f"label {number}" for number in range(7)]


def seeded_tensors(arch: Architecture, pooling: str, frames: int) -> dict[str, torch.Tensor]:
    draw = np.random.default_rng(frames)
    layout = action_layout(arch, pooling, frames, len(LABELS))
    return {
        name: torch.from_numpy(draw.standard_normal(shape, dtype=np.float32) / 4)
        for name, shape in layout.items()
    }


@pytest.fixture
def operator(tiny: Architecture) -> Callable[..., Action]:
    """`operator()`, `operator("concat", frames=3)`: with a seeded head."""

    def made(
        pooling: str = "mean", *, thresholds: tuple[float, ...] | None = None, **options: Any
    ) -> Action:
        tensors = seeded_tensors(tiny, pooling, options.get("frames", 8))
        head = Head("action", "seeded", tensors, HASH)
        windows = ActionWindows(pooling=pooling, **options)
        action = Action(head, tiny, Classes(tuple(LABELS), thresholds), windows)
        action.load(torch.device("cpu"), torch.float32)
        return action

    return made


@pytest.fixture
def run(features_of: Callable[..., Features], tiny: Architecture) -> Callable[..., list[Result]]:
    """Put frames through an operator in batches of so many."""

    def ran(action: Action, frames: Sequence[FrameInfo], batch: int = 8) -> list[Result]:
        results = []
        for first in range(0, len(frames), batch):
            features = features_of(frames[first : first + batch], tiny, grid=(1, 1))
            results += action(features)
        return results

    return ran


def said(result: Result) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(result.data)
    return value


def windows(results: Sequence[Result]) -> list[Result]:
    return [result for result in results if result.operator == "action"]


def span(result: Result) -> tuple[int, int, bool]:
    one = said(result)
    return (
        int(one["start"]["position"]) // 18_000,
        int(one["end"]["position"]) // 18_000,
        one["partial"],
    )


def test_one_record_per_window(
    operator: Callable[..., Action],
    run: Callable[..., list[Result]],
    frame: Callable[..., FrameInfo],
) -> None:
    action = operator()
    frames = [frame(number) for number in range(18)]
    results = windows(run(action, frames) + action.reset("cam", "end"))

    assert [span(result) for result in results] == [
        (0, 7, False),
        (4, 11, False),
        (8, 15, False),
        (12, 17, True),
    ]
    assert [said(result)["frames"] for result in results] == [8, 8, 8, 6]
    assert (results[1].start, results[1].info) == (frame(4), frame(11))
    window = said(results[1])
    moments = [datetime.fromisoformat(window[side]["time"]) for side in ("start", "end")]
    assert moments[1] - moments[0] == timedelta(seconds=1.4)
    scores = [label["score"] for label in window["labels"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 5
    assert all(LABELS[label["id"]] == label["name"] for label in window["labels"])


def expected(tensors: dict[str, torch.Tensor], pooling: str, tokens: torch.Tensor) -> torch.Tensor:
    """The poolings by their formulas, in float64."""
    own = {name: tensor.double() for name, tensor in tensors.items()}
    x = tokens.double()
    if pooling == "mean":
        pooled = x.mean(dim=0)
    elif pooling == "attention":
        weights = (x @ own["pool.query"][0] / x.shape[1] ** 0.5).softmax(dim=0)
        pooled = (weights[:, None] * x).sum(dim=0)
    else:
        pooled = torch.cat([x, x[-1:].expand(8 - len(x), -1)]).flatten()
    return (own["classifier.weight"] @ pooled + own["classifier.bias"]).softmax(dim=0)


@pytest.mark.parametrize("count", [8, 5, 1])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_scores_follow_the_formulas(
    operator: Callable[..., Action],
    run: Callable[..., list[Result]],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    pooling: str,
    count: int,
) -> None:
    frames = [frame(number) for number in range(count)]
    action = operator(pooling, top=len(LABELS))

    (result,) = windows(run(action, frames) + action.reset("cam", "end"))

    want = expected(
        seeded_tensors(tiny, pooling, 8),
        pooling,
        features_of(frames, tiny, grid=(1, 1)).cls[:count],
    )
    got = {label["id"]: label["score"] for label in said(result)["labels"]}
    np.testing.assert_allclose([got[i] for i in range(len(LABELS))], want, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_batches_gaps_and_batch_mates_change_nothing(
    operator: Callable[..., Action],
    run: Callable[..., list[Result]],
    frame: Callable[..., FrameInfo],
    seed: int,
) -> None:
    """Two streams, reset at their own times, in one operator and each in its own."""
    draw = np.random.default_rng(seed)
    pooling = POOLINGS[seed % 3]
    options = {"frames": int(draw.integers(2, 6))}
    options["stride"] = int(draw.integers(1, options["frames"] + 1))
    steps: list[FrameInfo | str] = []
    counts = {"a": 0, "b": 0}
    for _ in range(60):
        stream = str(draw.choice(["a", "b"]))
        if draw.random() < 0.1:
            steps.append(stream)
        steps.append(frame(counts[stream], stream=stream))
        counts[stream] += 1
    steps += ["a", "b"]

    def played(action: Action, own: Sequence[FrameInfo | str], batch: int) -> list[Result]:
        results: list[Result] = []
        waiting: list[FrameInfo] = []
        for step in own:
            if isinstance(step, str) or len(waiting) == batch:
                results += run(action, waiting, batch)
                waiting = []
            if isinstance(step, str):
                results += action.reset(step, "gap")
            else:
                waiting.append(step)
        return results

    together = played(operator(pooling, **options), steps, 8)
    for stream in ("a", "b"):
        own = [s for s in steps if s == stream or getattr(s, "stream", None) == stream]
        alone = played(operator(pooling, **options), own, 1)
        assert alone == [result for result in together if result.info.stream == stream]
    covered = {
        (result.info.stream, number)
        for result in windows(together)
        for number in range(span(result)[0], span(result)[1] + 1)
    }
    assert covered == {(s, number) for s, count in counts.items() for number in range(count)}


@pytest.mark.slow
@pytest.mark.parametrize("pooling", POOLINGS)
def test_resumed_at_every_frame_as_if_never_interrupted(
    operator: Callable[..., Action],
    run: Callable[..., list[Result]],
    frame: Callable[..., FrameInfo],
    pooling: str,
) -> None:
    frames = [frame(number) for number in range(21)]
    undisturbed = operator(pooling)
    want = run(undisturbed, frames, 4) + undisturbed.reset("cam", "end")
    for stop in range(len(frames) + 1):
        before, after = operator(pooling), operator(pooling)
        got = run(before, frames[:stop], 4)
        after.restore("cam", before.snapshot("cam"))
        got += run(after, frames[stop:], 3) + after.reset("cam", "end")
        assert got == want


def test_streams_are_remembered_apart_and_forgotten(
    operator: Callable[..., Action],
    run: Callable[..., list[Result]],
    frame: Callable[..., FrameInfo],
) -> None:
    action = operator()
    empty = action.snapshot("cam")
    run(action, [frame(number, stream=s) for number in range(4) for s in ("cam", "door")])
    assert [span(one) for one in windows(action.reset("cam", "gap"))] == [(0, 3, True)]
    assert action.reset("cam", "end") == []
    assert action.snapshot("cam") == empty != action.snapshot("door")


@pytest.mark.slow
def test_it_keeps_no_features(
    operator: Callable[..., Action],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    action = operator()
    features = features_of([frame(0), frame(1)], tiny)
    storage = weakref.ref(features.cls.untyped_storage())
    before = action(features)
    features.cls[:] = torch.nan
    del features
    gc.collect()
    assert storage() is None
    assert not before
    (short,) = windows(action.reset("cam", "end"))
    assert np.isfinite([label["score"] for label in said(short)["labels"]]).all()


def test_nan_leaves_the_memory_whole(
    operator: Callable[..., Action],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    action = operator()
    features = features_of([frame(0), frame(1)], tiny)
    features.cls[1, 5] = torch.nan
    state = action.snapshot("cam")
    with pytest.raises(DinostreamError, match="action: frame 18000"):
        action(features)
    assert action.snapshot("cam") == state
