"""Grounding DINO: parity with transformers' own processor and model, and what is refused."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from operators.errors import UsageError, WeightsError
from operators.outside.grounding import UNKNOWN, Asked, GroundingDino

pytestmark = pytest.mark.slow

MAX_ERROR = 1e-4
SIZES = [(45, 77), (131, 50), (80, 100), (61, 200), (80, 80)]


def twins(dino, rgb, asked: Asked) -> dict:
    """Boxes, scores and words, all by transformers."""
    from transformers import BertTokenizer, GroundingDinoProcessor
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    size = {"shortest_edge": 80, "longest_edge": 140}
    processor = GroundingDinoProcessor(
        GroundingDinoImageProcessorPil(size=size), BertTokenizer.from_pretrained(dino.folder)
    )
    given = processor(images=rgb, text=asked.text, return_tensors="pt")
    with torch.inference_mode():
        seen = dino.model(**given)
    (found,) = processor.post_process_grounded_object_detection(
        seen,
        given["input_ids"],
        threshold=asked.box_threshold,
        text_threshold=asked.text_threshold,
        target_sizes=[rgb.shape[:2]],
    )
    return found


@pytest.mark.parametrize("size_hw", SIZES, ids=str)
def test_its_boxes_are_transformers(dino, noise, size_hw):
    rgb, asked = noise(*size_hw), Asked.of(["Red car", "cat. dog"], 0.3, 0.6)
    assert asked.text == "red car. cat. dog."
    ours = GroundingDino.load(dino.folder).boxes(rgb, asked)
    theirs = twins(dino, rgb, asked)
    assert 3 < len(ours) == len(theirs["scores"])
    order = theirs["scores"].argsort(descending=True, stable=True).tolist()
    height, width = size_hw
    within = theirs["boxes"].clamp_min(0).minimum(torch.tensor([width, height, width, height]))
    for one, index in zip(ours, order, strict=True):
        assert one.score == pytest.approx(float(theirs["scores"][index]), abs=MAX_ERROR)
        shares = torch.tensor(one.box) / torch.tensor([width, height, width, height])
        true = within[index] / torch.tensor([width, height, width, height])
        assert (shares - true).abs().max() < MAX_ERROR
        true_name = theirs["text_labels"][index].replace("[SEP]", "").strip()  # of a text's end
        assert one.name == (true_name or UNKNOWN)


def test_thresholds_leave_out_what_is_below_them(dino, noise):
    ours, rgb = GroundingDino.load(dino.folder), noise(45, 77)
    every = ours.boxes(rgb, Asked.of(["cat"], 0.0, 0.5))
    scores = [one.score for one in every]
    assert len(every) == 12
    assert scores == sorted(scores, reverse=True)
    some = ours.boxes(rgb, Asked.of(["cat"], scores[4], 0.5))
    assert some == every[:4]
    nameless = ours.boxes(rgb, Asked.of(["cat"], 0.0, 1.0))
    assert {one.name for one in nameless} == {UNKNOWN}


def test_its_identity_is_all_that_a_box_depends_on(dino):
    ours = GroundingDino.load(dino.folder)
    told = {
        json.dumps(ours.identity(Asked.of(*asked)))
        for asked in ((["cat"], 0.3, 0.2), (["dog"], 0.3, 0.2), (["cat"], 0.4, 0.2))
    }
    assert len(told) == 3
    assert ours.identity(Asked.of(["Cat."], 0.3, 0.2))["text"] == "cat."


def test_a_strip_of_a_picture_keeps_a_pixel_of_its_short_side(dino, noise):
    assert (
        len(GroundingDino.load(dino.folder).boxes(noise(1, 400), Asked.of(["cat"], 0, 0.5))) == 12
    )


@pytest.mark.parametrize("text", ["caf\udce9", "a\0b"])
def test_what_is_no_text(text):
    with pytest.raises(UsageError, match=r"--text holds .* give plain text, in UTF-8"):
        Asked.of(["cat", text], 0.3, 0.2)
    assert Asked.of(["red \n car"], 0.3, 0.2).phrases == ("red car",)


@pytest.mark.parametrize("texts", [[], [" . "], [""]])
def test_no_words(texts):
    with pytest.raises(UsageError, match="nothing to look for: give --text"):
        Asked.of(texts, 0.3, 0.2)


def test_more_words_than_the_model_reads(dino):
    asked = Asked.of([f"{'cat ' * n}dog" for n in range(1, 9)], 0.3, 0.2)
    with pytest.raises(UsageError, match="tokens long and the model reads 16"):
        GroundingDino.load(dino.folder).encoded(asked)


def test_sizes_that_are_none_and_a_folder_without_a_tokenizer(dino, tmp_path):
    folder = shutil.copytree(dino.folder, tmp_path / "dino")
    for size in ({"height": 48, "width": 48}, {"shortest_edge": 0, "longest_edge": 80}):
        (folder / "preprocessor_config.json").write_text(json.dumps({"size": size}))
        with pytest.raises(WeightsError, match=r"preprocessor_config\.json: "):
            GroundingDino.load(folder)
    (folder / "preprocessor_config.json").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(WeightsError, match="has no tokenizer"):
        GroundingDino.load(folder)
