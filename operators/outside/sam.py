"""SAM (Kirillov et al. 2023, arXiv 2304.02643): a picture and what is pointed at in it -> masks.

The network is transformers'; what goes into it and what is made of what comes out is here. Its
decoder reads its own encoder alone, no DINOv2.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from operators.errors import WeightsError
from operators.outside.given import GivenWeights, read_preprocessing
from operators.outside.library import model_of, require_sound
from operators.outside.pixels import normalised, resized
from operators.outside.prompt import Prompt
from operators.outside.published import SAM

_ON, _OFF = 1, 0  # labels of clicks


@dataclass(frozen=True, slots=True)
class SamMask:
    """One answer.

    Attributes:
        mask: bool `[H, W]`, of the picture's own size.
        predicted_iou: what the model takes its overlap with the truth for; about 0 to 1.
    """

    mask: NDArray[np.bool_]
    predicted_iou: float


class Sam:
    """A whole SAM, with weights that a user has."""

    def __init__(self, given: GivenWeights) -> None:
        """
        Args:
            given: the folder of its weights.

        Raises:
            UsageError: transformers is not installed.
            WeightsError: the weights are damaged, or no whole SAM's.
        """
        self.given = given
        read_preprocessing(given.folder)
        self._model: Any = model_of(SAM, given)
        self._side = self._model.config.vision_config.image_size
        if not isinstance(self._side, int):
            raise WeightsError(f"{given.folder}: its image_size is {self._side!r}, want one number")

    @classmethod
    def load(cls, path: Path) -> Sam:
        """Of a folder, or the weights' file in it; errors as of `GivenWeights.of`, and ours."""
        return cls(GivenWeights.of(path, SAM))

    def masks(self, rgb: NDArray[np.uint8], prompt: Prompt) -> list[SamMask]:
        """Three where a lone click leaves open what is meant, else one; the likeliest first.

        Args:
            rgb: uint8 `[H, W, 3]`, the picture as displayed.
            prompt: what is pointed at in it.

        Raises:
            UsageError: it is not in the picture.
            WeightsError: NaN comes out.
        """
        logits, scores = self.logits(rgb, prompt)
        require_sound(self.given, logits, scores)
        order = scores.argsort(descending=True, stable=True).tolist()
        masks = (logits > 0).numpy()
        return [SamMask(masks[index], float(scores[index])) for index in order]

    @torch.inference_mode()
    def logits(self, rgb: NDArray[np.uint8], prompt: Prompt) -> tuple[Tensor, Tensor]:
        """What `masks` come from: float32 `[M, H, W]` above 0 inside, and predicted IoU `[M]`."""
        picture_hw = (rgb.shape[0], rgb.shape[1])
        prompt.check(picture_hw)
        inner_hw = self._inner(picture_hw)
        pixels = normalised(resized(rgb, inner_hw))
        pad = (0, self._side - inner_hw[1], 0, self._side - inner_hw[0])
        seen = self._model(
            pixel_values=F.pad(pixels, pad).to(self._model.device),
            multimask_output=prompt.ambiguous,
            **self._marks(prompt, picture_hw, inner_hw),
        )
        # As its authors enlarge it: to the padded picture, without the padding, to the picture.
        wide = F.interpolate(seen.pred_masks[0].float(), (self._side,) * 2, mode="bilinear")
        wide = wide[..., : inner_hw[0], : inner_hw[1]]
        wide = F.interpolate(wide, picture_hw, mode="bilinear")
        return wide[0].cpu(), seen.iou_scores[0, 0].float().cpu()

    def _inner(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """Its long side fills the square that the model sees; rounded half up, as its authors'."""
        scale = self._side / max(picture_hw)
        height, width = (max(1, int(side * scale + 0.5)) for side in picture_hw)
        return height, width

    def _marks(
        self, prompt: Prompt, picture_hw: tuple[int, int], inner_hw: tuple[int, int]
    ) -> dict[str, Tensor]:
        across, down = inner_hw[1] / picture_hw[1], inner_hw[0] / picture_hw[0]
        marks = {}
        if clicks := [*prompt.points, *prompt.against]:
            labels = [_ON] * len(prompt.points) + [_OFF] * len(prompt.against)
            places = [[x * across, y * down] for x, y in clicks]
            marks = {"input_points": [[places]], "input_labels": [[labels]]}
        if prompt.box:
            left, top, right, bottom = prompt.box
            marks["input_boxes"] = [[[left * across, top * down, right * across, bottom * down]]]
        return {name: torch.tensor(one, device=self._model.device) for name, one in marks.items()}
