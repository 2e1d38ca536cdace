"""Contenders beside constant answers on rendered scenes: every task, from seeds to a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from operators.learn import log_depth, motion_training, sweep
from operators.peers.name import PeerName
from operators.segmentation.operator import Segmentation
from operators.weights.heads import Head
from pipeline.fit.compare import Trial, measure
from pipeline.fit.compare_table import comparison_table, write_table
from pipeline.fit.contender import Beside, Ours, blocks_read
from pipeline.fit.dense_plan import DensePlan
from pipeline.fit.scenes import Scenes
from pipeline.synthetic.labels import LABELS

OURS = Ours("dinov2_vitti14", "random")


def quiet(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def trial(tmp_path):
    def made(train: range, **more) -> Trial:
        shape = {"frames": 1, "seconds": 1.0, "sizes_wh": ((64, 36),)}
        return Trial(
            Scenes("world", train, **shape),
            Scenes("world", range(100, 106), **shape),
            0.4,
            DensePlan(28, tmp_path / "cache"),
            steps=3,
            **more,
        )

    return made


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks here how good a head gets."""
    for room in (motion_training, sweep):
        monkeypatch.setattr(room, "_STEPS", 5)
        monkeypatch.setattr(room, "_EPOCHS", 0)
    monkeypatch.setattr(log_depth, "_SHAPE_STEPS", 5)


@pytest.mark.slow
def test_every_task_is_measured_on_scenes_that_were_not_learnt_from(
    trial, tiny_backbone, few_steps
):
    measured = measure(trial(range(40)), OURS, tell=quiet)
    evaluations = measured.evaluations
    assert list(evaluations) == [
        *("segmentation", "depth", "action"),
        *("action, linear", "action, nearest neighbours"),
    ]
    assert {one.groups for one in evaluations.values()} == {6}
    assert evaluations["action"].estimates["top1"].low is not None
    assert set(evaluations["depth"].constant) == {"abs_rel", "rmse_m", "delta1"}
    fit = measured.fits["segmentation"]
    assert len({one.facts["data"] for one in measured.fits.values()}) == 3, "all actions' agree"
    for one in measured.fits.values():
        assert one.facts["backbone"] == tiny_backbone.loaded.sha256
        assert one.facts["model"] == "dinov2_vitti14"
        assert len(one.facts["data"]) == 64
    metrics = measured.fits["action"].facts["metrics"]
    assert metrics["measured_on"] == "validation, 8 scenes"
    assert {"top1", "mean_class_accuracy", "f1", "said"} <= set(metrics)
    head = Head("segmentation", "kept", fit.tensors, "0" * 64)
    assert Segmentation(head, tiny_backbone.loaded.model.architecture, LABELS).layers == (8, 9, 10)


@pytest.mark.slow
def test_pixels_stand_beside_ours_on_the_same_pictures(trial, few_steps, tmp_path):
    tasks = trial(range(40), tasks=("segmentation", "action"))
    pixels = Beside(PeerName.parse("pixels:8x8"))
    ours, theirs = measured = [measure(tasks, one, tell=quiet) for one in (OURS, pixels)]
    assert (theirs.title, theirs.untrained) == ("pixels:8x8", False)
    assert ours.evaluations.keys() == theirs.evaluations.keys()
    for name, own in ours.evaluations.items():
        other = theirs.evaluations[name]
        assert (own.samples, own.groups, own.labels) == (other.samples, other.groups, other.labels)
        assert own.constant == other.constant, "the same truths"
    assert ours.fits["action"].facts["data"] == theirs.fits["action"].facts["data"]
    assert theirs.fits["segmentation"].facts["blocks"] == 1, "it has no other"
    head, rule, first, second, constant = comparison_table(measured)
    assert head.startswith("| backbone | weights | width | patch | segmentation: mIoU | action: ")
    assert rule.count("|") == head.count("|") == second.count("|")
    assert first.startswith("| dinov2_vitti14 | random | 192 | 14 | 0.")
    assert second.startswith("| pixels:8x8 | none | 192 | 14 | 0.")
    assert constant.startswith("| constant answer | | | | 0.")
    write_table(measured, tmp_path / "new" / "comparison.md")
    assert (tmp_path / "new/comparison.md").read_text().splitlines()[2] == first


def test_heads_read_four_blocks_where_somebody_has_said_which():
    tiny = architecture("dinov2_vitti14")
    assert blocks_read(tiny, 4) == 4
    assert blocks_read(replace(tiny, depth=32), 4) == 4
    assert blocks_read(replace(tiny, depth=6), 4) == 1
    assert blocks_read(tiny, 1) == 1


@pytest.mark.slow
def test_too_few_scenes_for_actions_are_refused(trial):
    with pytest.raises(UsageError, match="2 scenes are too few to learn actions from"):
        measure(trial(range(2), tasks=("action",)), OURS, tell=quiet)


def test_frames_that_a_scene_has_not_are_refused():
    with pytest.raises(UsageError, match="1 to 5 frames of a scene of"):
        Scenes("world", range(3), frames=6, seconds=1.0)
