"""From clips to an action head that a run takes: labels, cache, files that cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from operators.errors import UsageError
from operators.learn.tail_training import Schedule
from operators.learn.vector_fit import Recipe
from operators.weights.header import read_header
from pipeline.errors import SourceError
from pipeline.features.store import FeatureStore
from pipeline.fit.fit_action import ActionPlan, fit_action, recorded_tokens, see
from pipeline.fit.fitting import FitPlan
from pipeline.fit.spans import clips_in_folders, spans_of_csv
from pipeline.fit.vector_report import report_json, report_lines


@pytest.fixture(autouse=True)
def _one_thread():
    """As the backbone leaves torch, and other tests expect it."""
    yield
    torch.set_num_threads(1)


def said(records, topic):
    return [json.loads(message.value) for message in records if message.topic == topic]


def quiet(share, words):
    """Nobody looks."""


def kept(folder: Path):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}


@pytest.mark.slow
@pytest.mark.parametrize("classifier", ["linear", "motion", "knn"])
def test_clips_become_a_head_that_tells_them_apart(
    two_kinds,
    action_plan,
    tiny_backbone,
    replayed,
    small_clip,
    tmp_path,
    known,
    described,
    classifier,
    monkeypatch,
):
    monkeypatch.setattr("operators.learn.motion_training._STEPS", 60)
    recordings = clips_in_folders(str(two_kinds))
    made = action_plan(classifier=classifier, poolings=("mean", "concat"))
    report = fit_action(recordings, tiny_backbone, made, tell=quiet)
    header = read_header(made.fit.out)
    assert header["labels"] == ["bright", "dark"]
    assert (header["fps"], header["frames"], header["stride"]) == (5.0, 4, 2)
    assert (header["short_side"], header["normalisation"]) == (28, "imagenet")
    assert header["backbone"] == tiny_backbone.loaded.sha256
    assert header["metrics"]["top1"]["value"] == 1.0
    assert header["metrics"]["measured_on"] == "validation, 2 files"
    assert len(header["thresholds"]) == 2
    assert "flattered" in "\n".join(report_lines(report))
    assert report_json(report)["confusion"] == [[4, 0], [0, 4]]

    clip = small_clip(tmp_path / "new.mp4", "bright", "dark", number=9)
    heads = {"action": str(made.fit.out)}
    records = replayed(
        clip, ["action"], f"sqlite:{tmp_path}/results.db", heads, sampling={"fps": 2}
    )
    for message in records:
        described(message)
    episodes = said(records, "action.episodes")
    assert [one["label"]["name"] for one in episodes] == ["bright", "dark"]
    windows = said(records, "action")
    assert {one["labels"][0]["name"] for one in windows if one["labels"]} == {"bright", "dark"}
    assert windows[0]["labels"][0]["name"] == "bright"

    before = kept(known)
    again = fit_action(recordings, tiny_backbone, made, tell=quiet)
    assert kept(known) == before
    assert again.sha256 == report.sha256


@pytest.mark.slow
def test_spans_and_the_time_between_them(small_clip, action_plan, tiny_backbone, tmp_path):
    for number in range(3):
        path = tmp_path / "long" / f"{number}.mp4"
        small_clip(path, "bright", "dark", "bright", number=number, frames=30)
    lines = [f"{number}.mp4,3,6,dark" for number in range(3)]
    labels = tmp_path / "long" / "spans.csv"
    labels.write_text("\n".join(["file,start,end,label", *lines]))
    report = fit_action(spans_of_csv(labels), tiny_backbone, action_plan(), tell=quiet)
    assert report.facts["labels"] == ["background", "dark"]
    assert report.facts["metrics"]["top1"]["value"] > 0.9
    assert any("windows left out" in note for note in report.notes)
    labels.write_text("\n".join(["file,start,end,label", *lines, "0.mp4,8,12,dark"]))
    with pytest.raises(UsageError, match=r"0\.mp4: dark from 8 s to 12 s \(line 5\) lies beyond"):
        fit_action(spans_of_csv(labels), tiny_backbone, action_plan(), tell=quiet)
    labels.write_text("file,start,end,label\n0.mp4,,,dark\n1.mp4,,,dark\n")
    with pytest.raises(UsageError, match="all of the footage is dark"):
        fit_action(spans_of_csv(labels), tiny_backbone, action_plan(), tell=quiet)


@pytest.mark.slow
def test_all_files_that_cannot_be_read_are_named_and_the_others_kept(
    two_kinds, action_plan, tiny_backbone, tmp_path
):
    (two_kinds / "dark" / "0.mp4").write_text("no video")
    (two_kinds / "dark" / "x.mp4").write_bytes(b"")
    made = action_plan(cache=tmp_path / "cache")
    with pytest.raises(SourceError, match=r"(?s)2 of 7 recordings.*dark/0\.mp4.*dark/x\.mp4"):
        fit_action(clips_in_folders(str(two_kinds)), tiny_backbone, made, tell=quiet)
    assert len(kept(tmp_path / "cache")) == 5


@pytest.mark.slow
def test_what_was_computed_stays_after_an_interruption(
    two_kinds, action_plan, tiny_backbone, tmp_path
):
    def interrupt(share, words):
        if words == "features of file 3 of 6":
            raise KeyboardInterrupt

    recordings, made = clips_in_folders(str(two_kinds)), action_plan(cache=tmp_path / "cache")
    with pytest.raises(KeyboardInterrupt):
        fit_action(recordings, tiny_backbone, made, tell=interrupt)
    before = kept(tmp_path / "cache")
    assert len(before) == 2
    told = []
    fit_action(recordings, tiny_backbone, made, tell=lambda *one: told.append(one))
    assert [words for share, words in told if share is not None][-1] == "features of file 6 of 6"
    after = kept(tmp_path / "cache")
    assert len(after) == 6
    assert before.items() <= after.items()


@pytest.mark.slow
def test_too_few_files_or_no_dates_for_a_split(two_kinds, action_plan, tiny_backbone):
    recordings = clips_in_folders(str(two_kinds))
    with pytest.raises(UsageError, match=r"two files or more.*dark \(1\)"):
        fit_action(recordings[:4], tiny_backbone, action_plan(), tell=quiet)
    with pytest.raises(UsageError, match="does not say when it was recorded"):
        fit_action(recordings, tiny_backbone, action_plan(grouping="day"), tell=quiet)


@pytest.mark.slow
def test_copies_of_a_clip_never_part(two_kinds, action_plan, tiny_backbone):
    for number in (1, 2):
        path = two_kinds / "dark" / f"{number}.mp4"
        path.write_bytes((two_kinds / "dark" / "0.mp4").read_bytes())
    with pytest.raises(UsageError, match=r"two files or more.*dark \(1\)"):
        fit_action(clips_in_folders(str(two_kinds)), tiny_backbone, action_plan(), tell=quiet)


@pytest.mark.slow
def test_the_last_block_may_learn_and_its_tokens_are_kept(
    two_kinds, action_plan, tiny_backbone, tmp_path
):
    def killed(moment):
        def interrupt(share, words):
            if words.startswith(moment):
                raise KeyboardInterrupt

        return interrupt

    made = action_plan(cache=tmp_path / "cache")
    fine = replace(made, fit=replace(made.fit, finetune=1, schedule=Schedule(looks=1, steps=2)))
    recordings = clips_in_folders(str(two_kinds))
    for moment, files in (("features of file 3", 2), ("fine-tuning", 6)):
        with pytest.raises(KeyboardInterrupt):
            fit_action(recordings, tiny_backbone, fine, tell=killed(moment))
        before = kept(tmp_path / "cache")
        assert len(before) == files
    report = fit_action(recordings, tiny_backbone, fine, tell=quiet)
    assert kept(tmp_path / "cache") == before
    told = "\n".join(report_lines(report))
    assert "fine-tuned the last block in 2 steps; mean class accuracy on validation:" in told
    assert "gain +0.000 (95 %: +0.000 to +0.000)" in told
    assert "no gain to keep: the frozen head stays" in told
    assert "tail_blocks" not in read_header(made.fit.out)
    store = FeatureStore(tmp_path / "cache", tiny_backbone, short_side=28)
    seen = see(recordings, store, 5.0, tell=quiet, tokens_of=10)
    tokens = recorded_tokens(recordings, store, 5.0, 10)
    assert store.computed_frames == 0
    store.close()
    rows = np.concatenate([one.parts for one in seen])
    assert len(tokens) == len(rows) == 60
    model = tiny_backbone.loaded.model
    for row in (0, 9, 10, 59):
        with torch.inference_mode():
            last = model.norm(model.blocks[11](tokens(row)[None].float()))[0, 0]
        np.testing.assert_allclose(last.numpy(), rows[row, -2], atol=2e-2)


def test_plans_are_checked(action_plan, tmp_path):
    own = action_plan().fit
    with pytest.raises(UsageError, match="want 1 <= stride <= frames"):
        ActionPlan(own, 5.0, 4, 5)
    with pytest.raises(UsageError, match=r"ends in \.safetensors"):
        FitPlan(tmp_path, tmp_path / "head.pth")
    with pytest.raises(UsageError, match="--finetune goes on from the classifier linear, got knn"):
        FitPlan(tmp_path, tmp_path / "head.safetensors", recipe=Recipe("knn"), finetune=1)
