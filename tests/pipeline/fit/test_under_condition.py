"""Changes are of the same files or scenes, before and after."""

from __future__ import annotations

import numpy as np
import pytest

from operators.conditions.condition import Condition
from operators.learn.depth_metrics import DepthErrors, depth_scores
from operators.learn.estimate import Estimate, change
from operators.learn.metrics import segmentation_scores
from pipeline.fit.conditions_table import conditions_table
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.under_condition import UnderCondition, under_condition

FOG = Condition("fog")
SCENES = [str(number) for number in range(20)]


def depth_of(abs_rels):
    return depth_scores([DepthErrors(one, 10 * one, 1 - one) for one in abs_rels], SCENES)


def test_what_is_hard_for_both_widens_nothing():
    hard = np.linspace(0.1, 0.9, 20)
    before, after = depth_of(hard), depth_of(hard + 0.05)
    found = under_condition(FOG, before, after, seed=0)
    wide = before.estimates["abs_rel"]
    assert wide.high - wide.low > 0.15
    paired = found.changes["abs_rel"]
    assert (paired.value, paired.low, paired.high) == pytest.approx((0.05, 0.05, 0.05))
    assert found.changes["delta1"].value == pytest.approx(-0.05)
    assert found.estimates == after.estimates


def test_an_interval_of_a_change_is_that_of_the_mean_of_differences():
    draw = np.random.default_rng(4)
    hard, more = draw.uniform(0, 1, 20), draw.normal(0.1, 0.05, 20)
    found = under_condition(FOG, depth_of(hard), depth_of(hard + more), seed=0).changes["abs_rel"]
    half = 1.96 * more.std() / np.sqrt(20)
    assert found.value == pytest.approx(more.mean())
    assert (found.low, found.high) == pytest.approx(
        (more.mean() - half, more.mean() + half), abs=0.2 * half
    )


def test_one_scene_alone_has_no_interval():
    assert change(lambda w: w[:, 0], lambda w: 3 * w[:, 0], 1) == Estimate(2.0, None, None)


def test_classes_are_paired_by_scene_too():
    right = np.stack([np.diag([30 + number, 10]) for number in range(6)])
    wrong = right.copy()
    wrong[:, 0, 0], wrong[:, 0, 1] = right[:, 0, 0] / 2, right[:, 0, 0] - right[:, 0, 0] // 2
    found = under_condition(FOG, segmentation_scores(right), segmentation_scores(wrong), seed=0)
    assert found.changes["miou"].value < -0.3
    assert found.changes["miou"].high < found.changes["miou"].value + 0.1
    same = under_condition(FOG, segmentation_scores(right), segmentation_scores(right), seed=0)
    assert same.changes["miou"] == Estimate(0.0, 0.0, 0.0)


def test_the_table_has_a_row_per_condition_and_says_what_it_costs():
    one = {"abs_rel": Estimate(0.4, 0.3, 0.5), "delta1": Estimate(0.5, None, None)}
    more = {"abs_rel": Estimate(0.1, -0.02, 0.2), "delta1": Estimate(-0.25, None, None)}
    under = (UnderCondition(Condition("fog", 2), one, more),)
    evaluation = Evaluation("depth", "own", 3, 3, one, one, conditions=under)
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in conditions_table(evaluation)
    ]
    assert rows[0] == ["condition", "AbsRel", "change", "delta1", "change"]
    assert rows[2] == ["as it is", "0.400 (0.300 to 0.500)", "", "0.500", ""]
    assert rows[3][:3] == ["fog:2", "0.400 (0.300 to 0.500)", "+0.100 (-0.020 to +0.200)"]
    assert rows[3][4] == "-0.250"
    assert rows[4][0] == "constant answer"
    assert evaluation.plain()["conditions"][0]["changes"]["abs_rel"]["low"] == -0.02
