"""The backbone in training, with the small heads that its losses read through.

Clips in -> what each loss compares. The heads are thrown away afterwards; `fit` makes others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from operators.backbones.architectures import Architecture
from operators.backbones.preprocess import normalise
from operators.backbones.vit import VisionTransformer
from operators.frames import CELLS

FIELDS = 4  # G: the class token has to know what lies in each of 4 x 4 fields of the picture
_FRAME, _HIDDEN = 64, 128  # numbers of a frame and of a clip that the action is told from


@dataclass(frozen=True, slots=True)
class Guess:
    """What the student says about clips `[C, T]`.

    Attributes:
        log_depth: `[C*T, 4h, 4w]`, natural logarithm of metres.
        classes: logits `[C*T, classes, 4h, 4w]`.
        shares: logits `[C*T, classes, G, G]`, of each class's share of a field of the picture.
        distance: `[C*T, G, G]`, mean log depth of each field.
        actions: logits `[C, actions]`.
        places: class tokens as they are, `[C, T, D]`.
    """

    log_depth: Tensor
    classes: Tensor
    shares: Tensor
    distance: Tensor
    actions: Tensor
    places: Tensor


class Student(nn.Module):
    """A vision transformer and five heads on its normalised tokens.

    All are linear but the action's: what moves is told by frames compared, and a linear head over
    the frames of a clip, one after the other, compares none. From the exact depth and classes of
    4 x 4 fields it gets 76 % of actions right, one hidden layer 95 %.
    """

    def __init__(self, arch: Architecture, *, classes: int, actions: int, frames: int) -> None:
        """
        Args:
            arch: the backbone's sizes.
            classes: of pixels.
            actions: of clips.
            frames: T of a clip.
        """
        super().__init__()
        self.backbone = VisionTransformer(arch)
        self.depth = nn.Linear(arch.width, CELLS**2)
        self.classes = nn.Linear(arch.width, CELLS**2 * classes)
        self.shares = nn.Linear(arch.width, FIELDS**2 * classes)
        self.distance = nn.Linear(arch.width, FIELDS**2)
        self.frame = nn.Linear(arch.width, _FRAME)
        self.action = nn.Sequential(
            nn.GELU(), nn.Linear(_FRAME * frames, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, actions)
        )

    def forward(self, pixels: Tensor) -> Guess:
        """Look at clips, uint8 `[C, T, H, W, 3]`."""
        clips, _, height, width = pixels.shape[:4]
        patch = self.backbone.architecture.patch
        tokens, _ = self.backbone(normalise(pixels.flatten(0, 1), torch.float32))
        first = 1 + self.backbone.architecture.registers
        cls, patches = tokens[:, 0], tokens[:, first:]
        grid = (height // patch, width // patch)
        return Guess(
            log_depth=_cells(self.depth(patches), grid)[:, 0].float(),
            classes=_cells(self.classes(patches), grid).float(),
            shares=self.shares(cls).float().view(len(cls), -1, FIELDS, FIELDS),
            distance=self.distance(cls).float().view(len(cls), FIELDS, FIELDS),
            actions=self.action(self.frame(cls).view(clips, -1)).float(),
            places=cls.view(clips, -1, cls.shape[1]),
        )


def _cells(values: Tensor, grid: tuple[int, int]) -> Tensor:
    """`[B, h*w, K * 4 * 4]` -> `[B, K, 4h, 4w]`."""
    (h, w), batch = grid, len(values)
    tiles = values.view(batch, h, w, -1, CELLS, CELLS)
    return tiles.permute(0, 3, 1, 4, 2, 5).reshape(batch, -1, h * CELLS, w * CELLS)
