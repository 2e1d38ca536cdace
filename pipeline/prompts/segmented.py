"""A picture and what is pointed at in it -> its masks: by SAM, or by likeness of our patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from operators.backbones.backbone import Backbone
from operators.follow.masks import picture_mask
from operators.follow.seed import LIKE, seed
from operators.frames import FrameBatch, FrameInfo
from operators.outside.prompt import Prompt
from operators.outside.published import SAM
from operators.outside.sam import Sam
from pipeline.follow.asked import Asked, Thing
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import scaled

_THING = 1  # its id in a mask


@dataclass(frozen=True, slots=True)
class Answer:
    """One mask.

    Attributes:
        mask: bool `[H, W]`, of the picture's size.
        predicted_iou: what its model takes its overlap with the truth for; None: nobody says.
    """

    mask: NDArray[np.bool_]
    predicted_iou: float | None

    def plain(self) -> dict[str, Any]:
        """As JSON values; right and bottom of the box lie just outside, None: the mask is empty."""
        rows, columns = (np.flatnonzero(self.mask.any(axis=axis)) for axis in (1, 0))
        box = None
        if len(rows):
            box = [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
        return {"box": box, "area_px": int(self.mask.sum()), "predicted_iou": self.predicted_iou}


@dataclass(frozen=True, slots=True)
class Segmented:
    """
    Attributes:
        answers: one or more, the likeliest first.
        by: what made them, as JSON values.
    """

    answers: Sequence[Answer]
    by: dict[str, Any]


def by_sam(sam: Sam, rgb: NDArray[np.uint8], prompt: Prompt) -> Segmented:
    """As SAM says; errors as of `Sam.masks`."""
    answers = [Answer(one.mask, one.predicted_iou) for one in sam.masks(rgb, prompt)]
    return Segmented(answers, sam.given.identity(SAM))


def by_likeness(
    backbone: Backbone, rgb: NDArray[np.uint8], prompt: Prompt, *, short_side: int
) -> Segmented:
    """By the patches that look like those pointed at, as `follow` marks its first frame.

    Args:
        backbone: sees the picture.
        rgb: uint8 `[H, W, 3]`, the picture as displayed.
        prompt: what is pointed at in it.
        short_side: that it is seen at, pixels.

    Raises:
        UsageError: it is not in the picture, or clicks on it and on others are in one patch.
    """
    picture_hw = (rgb.shape[0], rgb.shape[1])
    prompt.check(picture_hw)
    loaded = backbone.loaded
    pixels = scaled(rgb, FrameSize(short_side, loaded.model.architecture.patch))
    batch = FrameBatch((FrameInfo.of_picture(picture_hw),), pixels[None])
    with torch.inference_mode():
        patches = backbone(batch).patches[0].float().cpu()
        asked = Asked((Thing("the thing", prompt.points, prompt.box),), prompt.against)
        marks, against = asked.marks(picture_hw, (patches.shape[0], patches.shape[1]))
        ids = picture_mask(seed(patches, marks, against), picture_hw)
    by = {
        "family": "likeness of patches",
        "model": loaded.name,
        "sha256": loaded.sha256,
        "short_side": short_side,
        "least_cosine": LIKE,
        "untrained": loaded.untrained,
    }
    return Segmented([Answer(ids == _THING, None)], by)
