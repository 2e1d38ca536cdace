"""Gram anchoring (DINOv3, arXiv 2508.10104): which patches are alike stays as it was.

In a long training, or one at a new size, class tokens gain while patches lose what told them apart.
An earlier backbone that stays as it is looks at the same crops at twice the size, where it tells
patches apart best; the student's patches are to be alike where the anchor's are.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.pretrain.crops import Crops
from operators.pretrain.gram import gram_loss, resized
from operators.pretrain.learner import Learner
from operators.pretrain.packed import PackedTransformer
from operators.pretrain.self_distillation import SelfDistillation
from operators.pretrain.step import Step, pixels_of

SCALE = 2  # of the anchor's crops to the student's, a side


class GramAnchored:
    """Self-distillation with one more term. Global crops come at the anchor's size.

    DINOv3's anchor sees crops in undistorted colours; ours sees the student's crops themselves, in
    the colours that these have. Its weight there is 2 at its height, 1.5 at large sizes.

    Attributes:
        memory: of the self-distillation.
    """

    def __init__(
        self, objective: SelfDistillation, anchor: PackedTransformer, weight: float
    ) -> None:
        """
        Args:
            objective: the rest.
            anchor: frozen, of the student's architecture.
            weight: of the term.
        """
        self._objective, self._anchor, self._weight = objective, anchor, weight
        self.memory = objective.memory

    def __call__(
        self, student: Learner, average: Learner, crops: Crops, step: int, draw: torch.Generator
    ) -> Step:
        """The losses of a step; arguments are those of the self-distillation.

        Args:
            student: learns.
            average: of it.
            crops: of B pictures, global ones `SCALE` times as large as the student sees them.
            step: from 0.
            draw: decides what is hidden and left out.
        """
        seen = Crops(_smaller(crops.globals), crops.locals)
        done = self._objective(student, average, seen, step, draw)
        assert done.patches is not None
        wanted = self._wanted(crops)
        loss = self._weight * gram_loss(done.patches, wanted)
        return replace(done, losses={**done.losses, "gram": loss})

    @torch.no_grad()
    def _wanted(self, crops: Crops) -> Tensor:
        """The anchor's patches on the student's grid, `[2B, h*w, D]`."""
        pixels = pixels_of(crops)[0]
        (tokens,) = self._anchor.packed([pixels])
        arch = self._anchor.architecture
        h, w = (side // arch.patch for side in pixels.shape[-2:])
        patches = tokens[:, 1 + arch.registers :]
        return resized(patches, (h, w), (h // SCALE, w // SCALE))


def _smaller(crops: Tensor) -> Tensor:
    """Global crops at the student's size, uint8 `[2, B, 3, H / SCALE, W / SCALE]`."""
    height, width = crops.shape[-2:]
    small = F.interpolate(
        crops.flatten(0, 1).float(),
        size=(height // SCALE, width // SCALE),
        mode="bicubic",
        antialias=True,
    )
    return small.round_().clamp_(0, 255).to(torch.uint8).view(*crops.shape[:3], *small.shape[-2:])
