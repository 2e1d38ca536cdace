"""Vector heads: what is learnt is what the operators compute, chosen on validation."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from operators.action.windows import SlidingWindow
from operators.errors import UsageError
from operators.frames import FrameInfo
from operators.learn import sweep
from operators.learn.examples import Examples, window_rows
from operators.learn.scoring import head_scores
from operators.learn.splits import split
from operators.learn.vector_fit import Recipe, fit_vector_head
from operators.vector.frame_vector import FrameVector
from operators.vector.pooling import POOLINGS, QUERY, pool, pooled_width
from operators.vector.vector_head import VectorHead
from operators.weights.heads import Head

T, D = 4, 6
FACTS = {"classifier": "linear"}


def examples(
    *, files: int = 12, classes: int = 2, in_order: bool = False, seed: int = 0
) -> Examples:
    """Files of 10 frames: classes differ in their mean, or only in the order of their frames."""
    draw = np.random.default_rng(seed)
    ramp = np.linspace(-1, 1, 10)
    parts, rows, present, targets, groups = [], [], [], [], []
    for number in range(files):
        label = number % classes
        own = draw.standard_normal((10, 5, D)) * 0.3
        if in_order:
            own[:, :, 0] += ramp[:: -1 if label else 1, None] * 3
        else:
            own[:, :, label] += 2.0
        for first, count in window_rows(10, T, 2):
            rows.append([10 * number + first + min(step, count - 1) for step in range(T)])
            present.append(count)
            targets.append(label)
            groups.append(f"file {number}")
        parts.append(own.astype(np.float32))
    return Examples(
        np.concatenate(parts),
        True,
        np.array(rows),
        np.array(present),
        np.array(targets),
        tuple(groups),
        tuple(f"class {number}" for number in range(classes)),
    )


def parted(known: Examples, seed: int = 0) -> Any:
    return split(known.groups, known.targets, known.labels, seed=seed)


@pytest.mark.parametrize("stride", [1, 3, 5])
@pytest.mark.parametrize("count", range(1, 24))
def test_windows_lie_as_the_operators_do(
    frame: Callable[..., FrameInfo], count: int, stride: int
) -> None:
    windows = SlidingWindow(5, stride)
    found = [windows.push(frame(number), np.zeros(2, np.float32)) for number in range(count)]
    found.append(windows.flush())
    want = [
        (int(one.infos[0].position) // 18_000, len(one.infos)) for one in found if one is not None
    ]
    assert window_rows(count, 5, stride) == want


@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("classifier", ["linear", "knn"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_scores_are_the_operators_own(pooling: str, classifier: str, unit: bool) -> None:
    known = replace(examples(), unit=unit)
    draw = np.random.default_rng(1)
    for vector in known.choices():
        width = D * (vector.blocks + vector.mean_patch)
        wide = pooled_width(pooling, T, width)
        tensors, facts = made(draw, classifier, wide)
        if pooling == "attention":
            tensors[QUERY] = torch.from_numpy(draw.standard_normal((1, width), dtype=np.float32))
        facts |= {"vector": vector.to_json(), "pooling": pooling}
        got = head_scores(tensors, facts, known)
        further = {QUERY: (1, width)} if pooling == "attention" else {}
        head = VectorHead(Head("action", "made", tensors, "a" * 64, facts), wide, 2, further)
        vectors = known.vectors(vector)
        query = tensors[QUERY][0] if pooling == "attention" else None
        for number, (rows, count) in enumerate(zip(known.rows, known.present, strict=True)):
            pooled = pool(vectors[rows[:count].tolist()], pooling, T, query)
            np.testing.assert_allclose(got[number], head.scores(pooled[None])[0], atol=1e-5)


def made(
    draw: np.random.Generator, classifier: str, wide: int
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    def normal(*shape: int) -> torch.Tensor:
        return torch.from_numpy(draw.standard_normal(shape, dtype=np.float32))

    if classifier == "linear":
        return {"classifier.weight": normal(2, wide), "classifier.bias": normal(2)}, dict(FACTS)
    memory = normal(9, wide)
    tensors = {
        "memory.vectors": memory / memory.norm(dim=1, keepdim=True),
        "memory.classes": torch.arange(9) % 2,
    }
    return tensors, {"classifier": "knn", "k": 4, "temperature": 0.1}


def test_vectors_are_frame_vectors_of_the_parts() -> None:
    known = examples()
    assert known.choices() == tuple(FrameVector(b, m) for b in (1, 4) for m in (False, True))
    np.testing.assert_array_equal(known.vectors(FrameVector()), known.parts[:, 3])
    both = known.parts[:, [3, 4]].reshape(-1, 2 * D)
    np.testing.assert_array_equal(known.vectors(FrameVector(1, True)), both)
    np.testing.assert_array_equal(
        known.vectors(FrameVector(4, True)), known.parts.reshape(-1, 5 * D)
    )
    alone = replace(known, parts=known.parts[:, 3:4], mean_patch=False)
    assert alone.choices() == (FrameVector(),)


@pytest.mark.slow
@pytest.mark.parametrize("classifier", ["linear", "logistic", "svm", "knn"])
def test_what_can_be_told_apart_is(classifier: str) -> None:
    known = examples(classes=3, files=18)
    fit = fit_vector_head(known, parted(known), Recipe(classifier))
    assert fit.quality.part == "test"
    assert fit.quality.scores.estimates["top1"].value == 1.0
    assert fit.quality.f1 == 1.0
    assert len(fit.facts["thresholds"]) == 3
    assert fit.facts["trained"]["classifier"] == classifier
    again = fit_vector_head(known, parted(known), Recipe(classifier))
    assert fit.tensors is not None
    assert again.tensors is not None
    for name, tensor in fit.tensors.items():
        assert torch.equal(tensor, again.tensors[name])
    assert fit.facts == again.facts


@pytest.mark.slow
def test_the_order_of_frames_is_learnt_by_concat_alone() -> None:
    known = examples(in_order=True, files=20)
    parts = parted(known)
    mean = fit_vector_head(known, parts, Recipe(poolings=("mean",)))
    every = fit_vector_head(known, parts, Recipe())
    assert every.facts["pooling"] == "concat"
    assert every.quality.scores.estimates["top1"].value == 1.0
    assert mean.quality.scores.estimates["top1"].value < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "concat"])
def test_the_span_changes_nothing_but_the_work(
    monkeypatch: pytest.MonkeyPatch, pooling: str
) -> None:
    known = examples(files=4)  # 16 windows, fewer than features
    vector = FrameVector(4, True)
    short = sweep.train_rates(known, vector, pooling)
    monkeypatch.setattr(sweep, "pays", lambda *_: False)
    for rate, tensors in sweep.train_rates(known, vector, pooling).items():
        facts = {**FACTS, "vector": vector.to_json(), "pooling": pooling}
        want, got = (head_scores(one, facts, known) for one in (tensors, short[rate]))
        np.testing.assert_allclose(got, want, atol=2e-3)


@pytest.mark.slow
def test_rates_do_not_feel_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    known = examples()
    together = sweep.train_rates(known, FrameVector(), "attention")
    monkeypatch.setattr(sweep, "RATES", (1.0,))
    alone = sweep.train_rates(known, FrameVector(), "attention")
    for name, tensor in alone[1.0].items():
        torch.testing.assert_close(together[1.0][name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_without_enough_files_validation_is_said_to_be_what_was_measured() -> None:
    known = examples(files=4)
    parts = parted(known)
    assert not len(parts.test)
    assert fit_vector_head(known, parts, Recipe("knn")).quality.part == "validation"


def test_boosted_trees_are_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name == "xgboost":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    known = examples()
    with pytest.raises(UsageError, match="pip install xgboost"):
        fit_vector_head(known, parted(known), Recipe("xgboost"))


def test_boosted_trees_are_measured_and_make_no_head() -> None:
    pytest.importorskip("xgboost", reason="the extra xgboost is not installed")
    known = examples(files=16)
    fit = fit_vector_head(known, parted(known), Recipe("xgboost"))
    assert fit.tensors is None
    assert fit.quality.scores.estimates["top1"].value > 0.9


def test_examples_and_recipes_are_checked() -> None:
    known = examples()
    with pytest.raises(ValueError, match="must agree"):
        replace(known, groups=known.groups[1:])
    with pytest.raises(ValueError, match="targets must be from 0 to 0"):
        replace(known, labels=("one",))
    with pytest.raises(ValueError, match="want a classifier of linear"):
        Recipe("forest")


@pytest.mark.parametrize("classifier", ["logistic", "svm", "knn", "xgboost"])
def test_attention_alone_is_for_the_linear_classifier(classifier: str) -> None:
    with pytest.raises(UsageError, match=rf"got {classifier} with attention.*mean, concat"):
        Recipe(classifier, ("attention",))
    assert Recipe(classifier, ("attention", "mean")).classifier == classifier
    assert Recipe("linear", ("attention",)).poolings == ("attention",)


@pytest.mark.slow
def test_trees_try_poolings_in_the_order_in_which_they_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = examples()

    def even(inputs: Any, targets: Any, others: Any, *, seed: int) -> Any:
        return np.full((len(others), len(known.labels)), 1 / len(known.labels), np.float32)

    monkeypatch.setattr("operators.learn.vector_fit.boosted_trees", even)
    for poolings in (("mean", "concat"), ("concat", "attention", "mean", "concat")):
        fit = fit_vector_head(known, parted(known), Recipe("xgboost", poolings))
        named = list(dict.fromkeys(name.split(",")[0] for name, _ in fit.tried))
        assert named == [one for one in dict.fromkeys(poolings) if one != "attention"]
