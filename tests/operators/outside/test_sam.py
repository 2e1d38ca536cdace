"""SAM: parity with transformers' own processor and model, and what is said of a click."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.errors import UsageError
from operators.outside.prompt import Prompt
from operators.outside.sam import Sam
from tests.outside_twins import SAM_SIDE

pytestmark = pytest.mark.slow

MAX_ERROR = 1e-4
PROMPTS = {
    "a click": Prompt(((20.5, 11),)),
    "clicks for and against": Prompt(((20, 10), (9, 3)), ((3, 30),)),
    "a box": Prompt(box=(3, 4, 30.5, 40)),
    "both": Prompt(((20, 10),), ((3, 30),), (3, 4, 30, 40)),
}
SIZES = [(48, 77), (131, 51), (64, 64)]


def twins(sam, rgb: np.ndarray, prompt: Prompt) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of masks at the picture's size and predicted IoU, all by transformers."""
    from transformers import SamProcessor
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    square = {"height": SAM_SIDE, "width": SAM_SIDE}
    pictures = SamImageProcessorPil(size={"longest_edge": SAM_SIDE}, pad_size=square)
    marks = {}
    if prompt.points:
        labels = [1] * len(prompt.points) + [0] * len(prompt.against)
        clicks = [list(point) for point in (*prompt.points, *prompt.against)]
        marks = {"input_points": [[clicks]], "input_labels": [[labels]]}
    if prompt.box:
        marks["input_boxes"] = [[list(prompt.box)]]
    given = SamProcessor(pictures)(rgb, **marks, return_tensors="pt")
    sizes = given.pop("original_sizes"), given.pop("reshaped_input_sizes")
    given = {name: one if "label" in name else one.float() for name, one in given.items()}
    with torch.inference_mode():
        seen = sam.model(**given, multimask_output=prompt.ambiguous)
    (masks,) = pictures.post_process_masks(seen.pred_masks, *sizes, binarize=False)
    return masks[0], seen.iou_scores[0, 0]


@pytest.mark.parametrize("size_hw", SIZES, ids=str)
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_its_numbers_are_transformers(sam, noise, size_hw, prompt):
    rgb = noise(*size_hw)
    logits, scores = Sam.load(sam.folder).logits(rgb, prompt)
    true_logits, true_scores = twins(sam, rgb, prompt)
    assert logits.shape == true_logits.shape == (len(scores), *size_hw)
    assert logits.std() > 0.1, "these weights tell pixels apart"
    assert (logits - true_logits).abs().max() < MAX_ERROR
    assert (scores - true_scores).abs().max() < MAX_ERROR


def test_a_lone_click_has_three_masks_the_likeliest_first_and_any_more_one(sam, noise):
    ours, rgb = Sam.load(sam.folder / "model.safetensors"), noise(45, 77)
    three = ours.masks(rgb, PROMPTS["a click"])
    scores = [one.predicted_iou for one in three]
    assert len(three) == 3
    assert scores == sorted(scores, reverse=True)
    logits, raw = ours.logits(rgb, PROMPTS["a click"])
    for one, index in zip(three, raw.argsort(descending=True).tolist(), strict=True):
        assert np.array_equal(one.mask, logits[index].numpy() > 0)
    assert {len(ours.masks(rgb, one)) for name, one in PROMPTS.items() if name != "a click"} == {1}


def test_what_is_pointed_at_has_to_be_in_the_picture(sam, noise):
    ours = Sam.load(sam.folder)
    with pytest.raises(UsageError, match="77,10 lies outside of the picture, which is 77x45"):
        ours.masks(noise(45, 77), Prompt(((77, 10),)))
