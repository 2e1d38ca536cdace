"""Words -> a head, and a job that reads it twice on one pass; what does not belong together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.errors import UsageError, WeightsError
from operators.weights.checkpoint import read_tensors
from operators.weights.digest import sha256_file
from operators.weights.header import read_header
from pipeline.fit.fit_words import WordsPlan, fit_words
from pipeline.fit.fitting import write_out
from pipeline.fit.word_list import read_words
from tests.dinotxt_files import ARCH, VOCABULARY, Files, learnt_merges, write_files

LABELS = ("person", "a forklift", "empty floor")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(tmp_path_factory.mktemp("dinotxt"), learnt_merges(VOCABULARY - 514))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backbone with registers that takes no time."""
    monkeypatch.setitem(ARCHITECTURES, ARCH.name, ARCH)


def plan_of(files: Files, **other) -> WordsPlan:
    plan = WordsPlan(
        LABELS,
        ("a photo of {}.", "many {}"),
        14.2857,
        ARCH.name,
        str(files.backbone),
        files.vision_head,
        files.text_encoder,
        files.vocabulary,
    )
    return replace(plan, **other)


def written(plan: WordsPlan, path: Path) -> Path:
    fit = fit_words(plan, tell=lambda *_: None)
    write_out(path, fit.operator, fit.tensors, fit.facts)
    return path


def test_the_head_says_what_it_is_made_of(files, tmp_path):
    heard = []
    fit = fit_words(plan_of(files), tell=lambda *given: heard.append(given))
    assert heard == [("sentences", 6, 6)]
    path = tmp_path / "words.safetensors"
    write_out(path, fit.operator, fit.tensors, fit.facts)
    header = read_header(path)
    assert (header["operator"], header["backbone"]) == ("words", sha256_file(files.backbone))
    assert [one["name"] for one in header["labels"]] == list(LABELS)
    assert header["templates"] == ["a photo of {}.", "many {}"]
    assert header["files"]["text_encoder"] == sha256_file(files.text_encoder)
    tensors = read_tensors(path)
    assert torch.equal(tensors["vision_head.ln_final.bias"], files.vision["ln_final.bias"])
    assert tensors["texts"].shape == (3, 256)
    assert tensors["texts"].norm(dim=1).tolist() == pytest.approx([1, 1, 1])
    again = written(plan_of(files), tmp_path / "again.safetensors")
    assert sha256_file(again) == sha256_file(path)
    other = written(plan_of(files, labels=LABELS[::-1]), tmp_path / "other.safetensors")
    assert read_header(other)["labelset"] != header["labelset"]


@pytest.mark.slow
def test_a_job_reads_it_twice_and_other_words_are_other_records(
    files, tmp_path, small_clip, replayed
):
    clip = small_clip(tmp_path / "clip.mp4", "bars", frames=4)
    head = written(plan_of(files), tmp_path / "words.safetensors")
    other = written(plan_of(files, labels=LABELS[:2]), tmp_path / "two.safetensors")
    ids = []
    for turn, path in enumerate((head, other)):
        records = replayed(
            clip,
            ["classify", "segmentation"],
            f"sqlite:{tmp_path / f'{turn}.db'}",
            {"classify": str(path), "segmentation": str(path)},
            model=ARCH.name,
            weights=str(files.backbone),
            short_side=28,
        )
        of = {
            topic: [one for one in records if one.topic == topic]
            for topic in ("classify", "labels")
        }
        assert of["classify"]
        said = json.loads(of["classify"][0].value)["labels"]
        assert {one["name"] for one in said} == set(LABELS[: 3 - turn])
        assert len([one for one in records if one.topic == "segmentation"]) == len(of["classify"])
        ids.append({one.id for one in of["classify"]})
    assert not ids[0] & ids[1]


def test_a_backbone_without_registers_is_refused(files):
    with pytest.raises(UsageError, match=r"dinov2_vits14 has none of; give --model dinov2_vitl14"):
        fit_words(plan_of(files, model="dinov2_vits14"), tell=lambda *_: None)
    with pytest.raises(UsageError, match="eomt_small_640 has none of"):
        fit_words(plan_of(files, model="eomt_small_640"), tell=lambda *_: None)


def test_a_dinov3_is_refused_though_it_has_registers_and_the_width(files, monkeypatch):
    turned = replace(ARCH, name="dinov3_small", rotary=True)
    monkeypatch.setitem(ARCHITECTURES, turned.name, turned)
    with pytest.raises(UsageError, match=r"dinov3_small is a DINOv3, whose dino.txt is another"):
        fit_words(plan_of(files, model=turned.name), tell=lambda *_: None)


def test_files_that_do_not_belong_together_are_refused(files, monkeypatch, tmp_path):
    def refused(why: str, **other) -> None:
        with pytest.raises(WeightsError, match=why):
            fit_words(plan_of(files, **other), tell=lambda *_: None)

    wide = Architecture("dinov2_wide_reg", 192, 2, 3, 4)
    monkeypatch.setitem(ARCHITECTURES, wide.name, wide)
    refused("tokens of 128 numbers, those of dinov2_wide_reg have 192", model=wide.name)
    refused("is no vision head of dino.txt", vision_head=files.text_encoder)
    refused("is no text tower of dino.txt", text_encoder=files.vision_head)
    refused("is no gzip", vocabulary=files.backbone)
    refused(r"no such file: --vision-head \S+gone\.pth", vision_head=tmp_path / "gone.pth")
    refused("missing keys", weights=str(files.vision_head))
    short = tmp_path / "text.pth"
    torch.save(files.text | {"head.linear_projection.weight": torch.zeros(200, 128)}, short)
    refused("gives texts 200 numbers.* have 256", text_encoder=short)
    torch.save(files.text | {"backbone.ln_final.bias": torch.full((128,), torch.nan)}, short)
    refused("its vectors of labels are NaN", text_encoder=short)
    lacking = files.vision
    del lacking["block_list.1.mlp.w2.bias"]
    torch.save(lacking, short)
    refused(r"missing keys: block_list\.1\.mlp\.w2\.bias", vision_head=short)


def test_official_files_are_those_of_one_model(files):
    with pytest.raises(WeightsError, match=r"no official words head 'vision-head' for dinov2_sm"):
        fit_words(plan_of(files, vision_head=None), tell=lambda *_: None)


def test_labels_of_a_file(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffperson\r\n\n  empty floor \ncaf\u00e9".encode())
    assert read_words(path) == ("person", "empty floor", "caf\u00e9")
    for content, why in (
        (b"", "holds no labels; want one a line"),
        (b"\n \n", "holds no labels"),
        ("person\ncaf\u00e9".encode("latin-1"), r"line 2: byte 0xe9 is not UTF-8"),
        (b"\xef\xbb\xbfperson\ncaf\xe9", r"line 2: byte 0xe9 is not UTF-8"),
        ("person".encode("utf-16"), r"line 1: byte 0xff is not UTF-8"),
        (b"x" * ((1 << 20) + 1), "has more than 1 MiB"),
    ):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=why):
            read_words(path)
    with pytest.raises(UsageError, match=r"gone\.txt: cannot be read"):
        read_words(tmp_path / "gone.txt")


def test_labels_are_looked_at_before_anything_is_read(files):
    with pytest.raises(UsageError, match="are the same to the text tower"):
        fit_words(plan_of(files, labels=("a", "A"), model="none"), tell=lambda *_: None)


def test_too_many_for_a_map_is_said(files):
    many = tuple(f"label {number}" for number in range(257))
    (note,) = fit_words(plan_of(files, labels=many), tell=lambda *_: None).notes
    assert "257 labels are too many for segmentation" in note
