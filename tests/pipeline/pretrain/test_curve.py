import json
import re

import pytest

from operators.pretrain.recipe import Recipe
from pipeline.pretrain.curve import EVERY, Curve
from pipeline.pretrain.plan import Plan

PLAN = Plan((), "dinov2_vits14", Recipe(steps=1000, batch=64))


def line(step, **more):
    given = {
        "step": step, "dino_global": 1.5, "dino_local": 3.0, "ibot": 2.0, "koleo": 0.1,
        "effective_rank": 9.0, "used_prototypes": 0.5, "log_prototypes": 5.5,
    }  # fmt: skip
    return given | more


def test_lines_behind_the_checkpoint_are_of_steps_that_come_once_more(tmp_path):
    curve = Curve(tmp_path, 0)
    for step in (100, 200, 300):
        curve.add(line(step))
    again = Curve(tmp_path, 250)
    assert [one["step"] for one in again.lines] == [100, 200]
    again.add(line(300))
    lines = (tmp_path / "curve.jsonl").read_text().splitlines()
    assert [json.loads(one)["step"] for one in lines] == [100, 200, 300]


def test_a_torn_line_is_none(tmp_path):
    Curve(tmp_path, 0).add(line(100))
    with (tmp_path / "curve.jsonl").open("a") as file:
        file.write('{"step": 200, "di')
    assert [one["step"] for one in Curve(tmp_path, 1000).lines] == [100]


@pytest.mark.parametrize(
    ("steps", "lines"), [(range(100, 1001, 100), 10), ((100, 200, 500, 600), 4), ((7,), 1)]
)
def test_the_picture_has_all_lines_and_gaps_where_there_are_none(tmp_path, steps, lines):
    curve = Curve(tmp_path, 0)
    curve.draw(PLAN)
    assert not (tmp_path / "curve.svg").exists()
    for step in steps:
        curve.add(line(step))
    curve.draw(PLAN)
    drawn = (tmp_path / "curve.svg").read_text()
    for word in ("class tokens (DINO)", "hidden patches (iBOT)", "effective rank", "steps"):
        assert word in drawn
    assert f"step {steps[-1]:,} of 1,000, 64 pictures each" in drawn
    assert len(curve.lines) == lines
    assert re.search("nan|None", drawn) is None


def test_a_distillation_of_features_has_its_own_chart(tmp_path):
    curve = Curve(tmp_path, 0)
    for step in (EVERY, 2 * EVERY):
        curve.add({"step": step, "class": 0.5, "patches": 0.25, "effective_rank": 7.0})
    curve.draw(PLAN)
    drawn = (tmp_path / "curve.svg").read_text()
    assert "1 - cosine" in drawn
    assert "iBOT" not in drawn
