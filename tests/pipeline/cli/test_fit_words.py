"""`dinostream fit words` from its command line."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from operators.backbones.architectures import ARCHITECTURES
from tests.dinotxt_files import ARCH, VOCABULARY, learnt_merges, write_files


@pytest.fixture
def given(tmp_path, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, ARCH.name, ARCH)
    files = write_files(tmp_path, learnt_merges(VOCABULARY - 514))
    return (
        *("--model", ARCH.name, "--weights", files.backbone, "--vision-head", files.vision_head),
        *("--text-encoder", files.text_encoder, "--vocabulary", files.vocabulary),
        *("--template", "a photo of a {}."),
    )


def test_it_writes_a_head_that_inspect_knows(dinostream, given, tmp_path):
    done = dinostream("fit", "words", "person", " empty floor ", *given)
    assert done.returncode == 0, done.stderr
    said = "--head classify=words.safetensors --head segmentation=words.safetensors"
    assert f"use it with --model {ARCH.name} {said}" in done.stdout
    shown = dinostream("weights", "inspect", "words.safetensors").stdout
    assert "head: words, 2 classes: person, empty floor" in shown
    labels = tmp_path / "labels.txt"
    labels.write_text("person\nempty floor\n", encoding="utf-8")
    done = dinostream("fit", "words", "--labels", labels, *given, "--json", "-o", "b.safetensors")
    report = json.loads(done.stdout)
    assert [one["name"] for one in report["labels"]] == ["person", "empty floor"]
    assert report["logit_scale"] == 14.2857
    same = [(tmp_path / name).read_bytes() for name in ("words.safetensors", "b.safetensors")]
    assert same[0] == same[1]


@pytest.mark.slow
def test_eval_says_why_it_does_not_measure_words(dinostream, given, tmp_path):
    assert dinostream("fit", "words", "person", "wall", *given).returncode == 0
    for kind in ("person", "wall"):
        for number in range(2):
            for folder in (tmp_path / "pictures" / kind, tmp_path / "all"):
                folder.mkdir(parents=True, exist_ok=True)
                picture = Image.new("RGB", (30, 30), (number, len(kind), 0))
                picture.save(folder / f"{kind}{number}.png")
            (tmp_path / "masks").mkdir(exist_ok=True)
            Image.new("L", (30, 30), number).save(tmp_path / "masks" / f"{kind}{number}.png")
    run = ("--head", "words.safetensors", *given[:4], "--short-side", "28")
    done = dinostream("eval", "classify", "--images", tmp_path / "pictures", *run)
    assert done.returncode != 0
    assert "its classes are words, which read register tokens" in done.stderr
    images = ("--images", tmp_path / "all", "--masks", tmp_path / "masks")
    done = dinostream("eval", "segmentation", *images, *run)
    assert done.returncode != 0
    assert "reads register tokens, which features have in a job" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "give labels, or --labels FILE with one a line"),
        (("person", "--labels", "labels.txt"), "give labels, or --labels FILE"),
        (("--labels", "gone.txt"), "gone.txt: cannot be read"),
        (("person", "Person"), "are the same to the text tower"),
        (("person", "--template", "no place"), "must hold {} once"),
        (("person", "--logit-scale", "nan"), "nan"),
        (("person", "--logit-scale", "0"), "0"),
        (("person", "--logit-scale", "1e39"), "0<x<=10000"),
        (("person", "--model", "dinov2_vits14"), "give --model dinov2_vitl14_reg"),
        (("person", "-o", "words.pth"), "ends in .safetensors"),
    ],
)
def test_what_cannot_be_done_is_bad_usage(dinostream, arguments, why):
    done = dinostream("fit", "words", *arguments)
    assert done.returncode == 2
    assert why in done.stderr


def test_help_shows_an_example_and_the_defaults(dinostream):
    shown = dinostream("fit", "words", "--help").stdout
    assert "Example: dinostream fit words" in shown
    assert "14.2857" in shown
    assert "dinov2_vitl14_reg" in shown
