"""Heads for motion: a way is learnt that no pooled vector tells; the operator reads it alike."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from operators.action.operator import Action, ActionWindows
from operators.backbones.architectures import architecture
from operators.errors import UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.learn import motion_training
from operators.learn.examples import Examples
from operators.learn.motion_training import motion_head
from operators.learn.scoring import head_scores
from operators.learn.splits import split
from operators.learn.vector_fit import Recipe, fit_vector_head
from operators.vector.classes import Classes
from operators.vector.motion import CELLS, averaged_cells
from operators.vector.vector_head import VectorHead
from operators.weights.heads import Head

ARCH = architecture("dinov2_vitti14")
T, D = 4, ARCH.width
LABELS = ("left", "right")


def grids(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Windows `[M, T, 8, 8, D]` in which a thing, different in each, goes left or right over a
    background that differs too."""
    draw = np.random.default_rng(seed)
    places = 0.25 * draw.standard_normal((count, 1, CELLS, CELLS, D))
    grids = places + 0.1 * draw.standard_normal((count, T, CELLS, CELLS, D))
    targets = np.arange(count) % 2
    for window, way in enumerate(targets):
        row, thing = draw.integers(0, CELLS), 4 * draw.standard_normal(D)
        start = draw.integers(T - 1, CELLS - T + 1)
        for step in range(T):
            grids[window, step, row, start + (step if way else -step)] = thing
    return grids.astype(np.float16), targets


def examples(count: int = 320, seed: int = 0) -> Examples:
    cells, targets = grids(count, seed)
    flat = cells.reshape(count * T, CELLS * CELLS, D)
    return Examples(
        parts=flat.astype(np.float32).mean(axis=1, keepdims=True),
        mean_patch=False,
        rows=np.arange(count * T).reshape(count, T),
        present=np.full(count, T),
        targets=targets,
        groups=tuple(f"file {number}" for number in range(count)),
        labels=LABELS,
        cells=flat,
    )


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    """Small batches gain nothing from a second one, which waits for the first."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def known() -> Examples:
    return examples(480)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion_training, "_STEPS", 5)
    monkeypatch.setattr(motion_training, "_EPOCHS", 0)


@pytest.mark.slow
def test_a_way_is_told_by_matching_and_by_nothing_pooled(known, monkeypatch):
    monkeypatch.setattr(motion_training, "_STEPS", 0)  # as many as its epochs take
    parts = split(known.groups, known.targets, known.labels, seed=0)
    linear = fit_vector_head(known, parts, Recipe("linear", ("concat",)))
    motion = fit_vector_head(known, parts, Recipe("motion"))

    assert motion.quality.scores.estimates["top1"].value > 0.8
    assert linear.quality.scores.estimates["top1"].value < 0.7
    assert motion.facts["classifier"] == "motion"
    assert motion.facts["pooling"] == "concat"


@pytest.mark.slow
def test_a_seed_decides_and_torchs_own_randomness_is_left_alone(known, few_steps):
    few = known.take(range(40))
    before = torch.random.get_rng_state()
    first, again, other = (motion_head(few, seed=seed).tensors for seed in (1, 1, 2))

    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not torch.equal(first["near.weight"], other["near.weight"])
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.slow
def test_the_operator_says_what_training_measured(known, few_steps):
    few = known.take(range(40))
    made = motion_head(few)
    want = head_scores(made.tensors, made.facts, few)
    head = Head("action", "made", made.tensors, "a" * 64, made.facts)
    windows = ActionWindows(pooling="concat", frames=T, stride=T)
    action = Action(head, ARCH, Classes(LABELS), windows)
    assert action.layers == ()
    for window in range(3):
        (found,) = action(features_of(known, window))
        got = {one["id"]: one["score"] for one in json.loads(found.data)["labels"]}
        np.testing.assert_allclose([got[0], got[1]], want[window], atol=1e-5)


def features_of(known: Examples, window: int) -> Features:
    infos = tuple(
        FrameInfo(f"cam{window}", "s", str(i), i, Fraction(1, 5), i, i, (112, 112))
        for i in range(T)
    )
    rows = known.cells[known.rows[window]].astype(np.float32)
    patches = torch.from_numpy(rows).view(T, CELLS, CELLS, D)
    return Features(infos, torch.zeros(T, D), patches)


@pytest.mark.parametrize("grid", [(8, 8), (16, 28), (5, 9), (1, 1)])
def test_cells_are_means_whatever_the_grid(grid):
    patches = torch.randn(*grid, 3)
    cells = averaged_cells(patches)

    assert cells.shape == (64, 3)
    if grid == (16, 28):
        want = patches[2:4, 3:7].mean(dim=(0, 1))  # row 1, column 1 of cells of 2 x 3.5 patches
        torch.testing.assert_close(cells[8 + 1], want)
    if grid == (8, 8):
        assert torch.equal(cells, patches.flatten(0, 1))


def test_what_has_no_motion_is_refused(known):
    with pytest.raises(UsageError, match="matches patches of two frames or more"):
        motion_head(replace(known, cells=None))
    with pytest.raises(UsageError, match="pooling by concat, got mean, attention"):
        Recipe("motion", ("mean", "attention"))


@pytest.mark.slow
def test_a_head_that_does_not_fit_is_refused(known, few_steps):
    made = motion_head(known.take(range(16)))
    head = Head("action", "made", made.tensors, "a" * 64, made.facts)
    with pytest.raises(WeightsError, match=r"cell.weight must be \[40, 384\] for dinov2_vits14"):
        Action(
            head,
            architecture("dinov2_vits14"),
            Classes(LABELS),
            ActionWindows(pooling="concat", frames=T),
        )
    with pytest.raises(WeightsError, match="windows of two frames or more"):
        VectorHead(head, 7, 2, {})
