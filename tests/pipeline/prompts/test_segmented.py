"""Masks of one picture: by likeness of patches and by SAM, and a picture of them."""

from __future__ import annotations

import numpy as np
import pytest

from operators.errors import UsageError
from operators.outside.prompt import Prompt
from operators.outside.sam import Sam
from pipeline.prompts.drawn import overlay
from pipeline.prompts.segmented import Answer, by_likeness, by_sam

CLICK = Prompt(((77, 56),))


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt",
    [CLICK, Prompt(((77, 56),), ((5, 5),)), Prompt(box=(35, 20, 120, 92))],
    ids=["click", "against", "box"],
)
def test_patches_that_look_alike_are_the_thing(tiny_backbone, square, prompt):
    picture, truth = square
    done = by_likeness(tiny_backbone, picture, prompt, short_side=112)
    (answer,) = done.answers
    assert answer.mask.shape == truth.shape
    assert overlap(answer.mask, truth) > 0.6
    assert answer.predicted_iou is None
    assert done.by["sha256"] == tiny_backbone.loaded.sha256
    assert (done.by["untrained"], done.by["short_side"]) == (True, 112)


@pytest.mark.slow
def test_it_is_the_mask_that_follow_begins_with(tiny_backbone, square):
    import torch

    from operators.follow.masks import picture_mask
    from operators.follow.seed import Marks, seed
    from operators.frames import FrameBatch, FrameInfo

    picture, _ = square
    batch = FrameBatch((FrameInfo.of_picture((112, 168)),), picture[None])
    patches = tiny_backbone(batch).patches[0].float()
    marked = picture_mask(seed(patches, [Marks(((4, 5),))]), (112, 168)) == 1
    (answer,) = by_likeness(tiny_backbone, picture, CLICK, short_side=112).answers
    assert isinstance(patches, torch.Tensor)
    assert np.array_equal(answer.mask, marked)


@pytest.mark.slow
def test_what_cannot_be_told_apart_or_is_outside(tiny_backbone, square):
    picture, _ = square
    with pytest.raises(UsageError, match="is in the same patch as one for"):
        by_likeness(tiny_backbone, picture, Prompt(((77, 56),), ((78, 57),)), short_side=112)
    with pytest.raises(UsageError, match="lies outside of the picture, which is 168x112"):
        by_likeness(tiny_backbone, picture, Prompt(((168, 56),)), short_side=112)


@pytest.mark.slow
def test_sams_answers_are_told_with_the_weights_that_gave_them(sam_folder, square):
    picture, truth = square
    sam = Sam.load(sam_folder)
    done = by_sam(sam, picture, CLICK)
    assert [one.mask.shape for one in done.answers] == [truth.shape] * 3
    assert done.by == {
        "family": "SAM",
        "sha256": sam.given.sha256,
        "settings_sha256": sam.given.settings_sha256,
        "licence": None,
        "licence_of_published": "Apache-2.0",
    }


def test_box_and_area_of_a_mask(square):
    _, truth = square
    told = Answer(truth, 0.5).plain()
    assert told == {"box": [42, 28, 112, 84], "area_px": 70 * 56, "predicted_iou": 0.5}
    nothing = Answer(np.zeros((4, 5), bool), None).plain()
    assert nothing == {"box": None, "area_px": 0, "predicted_iou": None}


def test_an_overlay_shows_the_mask_and_what_was_pointed_at(square):
    picture, truth = square
    prompt = Prompt(((77, 56),), ((5, 100),), (42, 28, 112, 84))
    shown = np.asarray(overlay(picture, truth, prompt))
    assert shown.shape == picture.shape
    off = np.abs(shown.astype(int) - picture).max(axis=2)
    assert off[40:50, 60:70].min() > 20, "tinted"
    assert shown[56, 77].min() > 200, "a light dot on the thing"
    assert shown[100, 5].max() < 60, "a dark one on what is not it"
    assert np.median(off[:20]) < 8, "the rest is as it was"
