"""From pictures to a classify head that a run takes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from operators.errors import UsageError
from operators.frames import FrameBatch, FrameInfo
from operators.learn.scoring import head_scores
from operators.learn.splits import split
from operators.learn.tail_training import Schedule
from operators.learn.vector_fit import Recipe
from operators.vector.classify import build_classify
from operators.weights.head_request import HeadRequest
from operators.weights.header import read_header
from operators.weights.heads import Head, trained_head
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.errors import SourceError
from pipeline.fit.evaluate_files import pictured_examples
from pipeline.fit.fit_classify import fit_classify
from pipeline.fit.fitting import FitPlan
from pipeline.fit.pictures import pictures_in_folders
from pipeline.media.fingerprint import file_session
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import read_still
from pipeline.runtime.inline import InlineRun
from pipeline.sinks.uri import open_reader


@pytest.fixture(autouse=True)
def _one_thread():
    yield
    torch.set_num_threads(1)


@pytest.fixture
def pictures(tmp_path, small_picture):
    """Two classes of six."""
    for kind in ("bright", "dark"):
        for number in range(6):
            small_picture(tmp_path / "pictures" / kind / f"{number}.png", kind, number)
    return tmp_path / "pictures"


@pytest.fixture
def plan(tmp_path):
    def made(classifier="linear", grouping="file"):
        out = tmp_path / "own.safetensors"
        return FitPlan(tmp_path / "cache", out, 28, Recipe(classifier), grouping)

    return made


def quiet(share, words):
    """Nobody looks."""


@pytest.mark.slow
@pytest.mark.parametrize("classifier", ["linear", "logistic", "svm", "knn"])
def test_pictures_become_a_head_that_tells_frames_apart(
    pictures, plan, tiny_backbone, small_clip, tmp_path, classifier
):
    report = fit_classify(
        pictures_in_folders(str(pictures)), tiny_backbone, plan(classifier), tell=quiet
    )
    header = read_header(report.path)
    assert header["operator"] == "classify"
    assert header["labels"] == ["bright", "dark"]
    assert header["metrics"]["measured_on"] == "test, 2 files"
    assert header["metrics"]["top1"]["value"] == 1.0
    uri = f"sqlite:{tmp_path}/results.db"
    clip = small_clip(tmp_path / "new.mp4", "bright", "dark", number=9)
    values = {"sources": [str(clip)], "operators": ["classify"], "sink": uri, "threads": 1}
    values |= {"model": "dinov2_vitti14", "weights": "random", "runtime": "inline"}
    config = resolve(None, {**values, "heads": {"classify": str(report.path)}})
    assert config.short_side == 28
    InlineRun(config, stream_specs(config, live=False), fresh=False, tell=lambda _: None).run()
    reader = open_reader(uri)
    records = [json.loads(record.message.value) for record in reader.records(["classify"])]
    reader.close()
    names = [one["labels"][0]["name"] for one in records]
    assert names == ["bright"] * 10 + ["dark"] * 10


@pytest.mark.slow
def test_a_fine_tuned_head_says_in_a_run_what_was_measured(
    small_clip, plan, tiny_backbone, tmp_path
):
    for kind in ("bars", "rows"):
        for number in range(60):
            striped(tmp_path / "pictures" / kind / f"{number}.png", kind, number)
    pictures = pictures_in_folders(str(tmp_path / "pictures"))
    made = replace(plan(), finetune=2, schedule=Schedule(1e-3, 1e-3, looks=1))
    report = fit_classify(pictures, tiny_backbone, made, tell=quiet)
    header = read_header(report.path)
    assert header["tail_blocks"] == 2
    said = header["trained"]["finetuned"]
    assert said["kept"]
    assert said["gain"]["value"] > 0.1
    assert any(note.startswith("  gain +") for note in report.notes)
    assert any("the fine-tuned head is kept: the last 2 blocks" in note for note in report.notes)

    arch = tiny_backbone.loaded.model.architecture
    request = HeadRequest("classify", arch, header["backbone"], str(report.path), random_seed=0)
    operator = build_classify({}, request)
    groups = tuple(file_session(str(one.path)) for one in pictures)
    targets = np.array([header["labels"].index(one.label) for one in pictures])
    for place, number in enumerate(split(groups, targets, header["labels"]).test[:6]):
        still = read_still(pictures[number].path, FrameSize(28, 14))
        info = FrameInfo.of_picture(still.source_hw)
        features = tiny_backbone(FrameBatch((info,), still.pixels[None]))
        scores = operator.logits(features, slice(1))[0].softmax(dim=0).numpy()
        np.testing.assert_allclose(scores, report.fit.quality.probabilities[place], atol=5e-3)

    head = trained_head(request)
    measured = pictured_examples(
        pictures,
        head,
        tiny_backbone,
        short_side=28,
        cache=tmp_path / "cache",
        tell=lambda *_: None,
    )
    again = head_scores(head.tensors, {"pooling": "mean", **head.facts}, measured)
    test = split(groups, targets, header["labels"]).test
    np.testing.assert_allclose(again[test], report.fit.quality.probabilities, atol=1e-5)

    uri = f"sqlite:{tmp_path}/results.db"
    values = {"sources": [str(small_clip(tmp_path / "new.mp4", "bars"))], "sink": uri}
    values |= {"operators": ["classify"], "threads": 1, "runtime": "inline"}
    values |= {"model": "dinov2_vitti14", "weights": "random"}
    config = resolve(None, {**values, "heads": {"classify": str(report.path)}})
    InlineRun(config, stream_specs(config, live=False), fresh=False, tell=lambda _: None).run()
    reader = open_reader(uri)
    assert len(list(reader.records(["classify"]))) == 10
    reader.close()


def striped(path, kind, number):
    """Faint stripes in much noise, `[28, 28, 3]`: random weights and a linear head hardly see which
    way they run, blocks that learn soon do."""
    draw = np.random.default_rng([number, kind == "rows"])
    noise = draw.integers(60, 180, (28, 28, 3))
    wave = 30 * np.sign(np.sin(2 * np.pi * (np.arange(28) / 6 + draw.random())))
    picture = noise + (wave[:, None, None] if kind == "rows" else wave[None, :, None])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)


def test_pictures_that_cannot_be_read_are_named(pictures, plan, tiny_backbone, tmp_path):
    for name in ("bright/x.jpg", "dark/y.webp"):
        (pictures / name).write_text("no picture")
    with pytest.raises(SourceError, match=r"(?s)2 of 14 pictures.*bright/x\.jpg.*dark/y\.webp"):
        fit_classify(pictures_in_folders(str(pictures)), tiny_backbone, plan(), tell=quiet)
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 12


def test_copies_of_a_picture_never_part(pictures, plan, tiny_backbone):
    for number in range(1, 6):
        path = pictures / "dark" / f"{number}.png"
        path.write_bytes((pictures / "dark" / "0.png").read_bytes())
    with pytest.raises(UsageError, match=r"two files or more.*dark \(1\)"):
        fit_classify(pictures_in_folders(str(pictures)), tiny_backbone, plan(), tell=quiet)


def test_copies_of_a_picture_are_measured_as_one(pictures, tiny_backbone, tmp_path):
    (pictures / "dark" / "1.png").write_bytes((pictures / "dark" / "0.png").read_bytes())
    examples = pictured_examples(
        pictures_in_folders(str(pictures)),
        Head("classify", "own", {}, "0" * 64, {"labels": ["bright", "dark"]}),
        tiny_backbone,
        short_side=28,
        cache=tmp_path / "cache",
        tell=lambda *_: None,
    )
    assert (len(examples.groups), len(set(examples.groups))) == (12, 11)


def test_days_come_from_the_camera(pictures, plan, tiny_backbone):
    found = pictures_in_folders(str(pictures))
    with pytest.raises(UsageError, match="12 pictures do not say when they were taken"):
        fit_classify(found, tiny_backbone, plan(grouping="day"), tell=quiet)
    for kind in ("bright", "dark"):
        for number in range(6):
            exif = Image.Exif()
            exif[0x0132] = f"2026:11:{20 + number % 2} 10:00:00"
            path = pictures / kind / f"{number}.png"
            Image.open(path).save(path.with_suffix(".jpg"), exif=exif, quality=95)
            path.unlink()
    found = pictures_in_folders(str(pictures))
    report = fit_classify(found, tiny_backbone, plan("knn", "day"), tell=quiet)
    assert report.facts["metrics"]["measured_on"] == "validation, 1 days"


def test_folders_that_do_not_do(pictures, tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        pictures_in_folders(str(tmp_path / "nowhere"))
    (pictures / "grey").mkdir()
    with pytest.raises(UsageError, match="classes without a single example: grey"):
        pictures_in_folders(str(pictures))
    (pictures / "z.png").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"pictures in no class's folder: z\.png"):
        pictures_in_folders(str(pictures))
