"""A small backbone learns to say what a large one says: token by token, without prototypes.

Official weights come without the heads that they were trained with, so DINOv2's own distillation
cannot start from them; this can. Loss: 1 - cosine, of class tokens and of patches alike.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.vit import VisionTransformer
from operators.pretrain.crops import Crops
from operators.pretrain.packed import PackedTransformer
from operators.pretrain.processes import ALONE, Processes
from operators.pretrain.step import Step, pixels_of
from operators.pretrain.trainee import Trainee

_STD = 0.02


class FeatureStudent(Trainee):
    """A backbone and what brings its tokens to the width of the teacher's."""

    def __init__(
        self, arch: Architecture, teacher_width: int, draw: torch.Generator | None = None
    ) -> None:
        """
        Args:
            arch: of the backbone.
            teacher_width: numbers per token of the teacher.
            draw: decides where the bridges start.
        """
        super().__init__()
        self.backbone = PackedTransformer(arch)
        self.class_bridge = nn.Linear(arch.width, teacher_width)
        self.patch_bridge = nn.Linear(arch.width, teacher_width)
        for bridge in self.heads:
            nn.init.trunc_normal_(bridge.weight, std=_STD, generator=draw)
            nn.init.zeros_(bridge.bias)

    @property
    def heads(self) -> tuple[nn.Linear, ...]:
        """What is thrown away afterwards."""
        return self.class_bridge, self.patch_bridge


class FeatureDistillation:
    """The objective: both see the same global crops.

    Attributes:
        memory: it remembers nothing.
    """

    def __init__(
        self, teacher: VisionTransformer, drop: float = 0.0, processes: Processes = ALONE
    ) -> None:
        """
        Args:
            teacher: frozen, of the student's patch size.
            drop: share of pictures that each branch of the student leaves out.
            processes: that train together; each has all of the teacher.
        """
        self.memory: nn.Module = nn.Module()
        self._teacher = teacher
        self._drop = drop
        self._processes = processes

    def __call__(
        self,
        student: FeatureStudent,
        _: FeatureStudent,
        crops: Crops,
        step: int,
        draw: torch.Generator,
    ) -> Step:
        """The losses of a step; local crops are not looked at.

        Args:
            student: learns.
            crops: of B pictures.
            step: from 0.
            draw: decides what is left out.
        """
        pixels = pixels_of(crops)[0]
        with torch.no_grad():
            wanted, _ = self._teacher(pixels)
        own_draw = self._processes.own(draw)
        (tokens,) = student.backbone.packed([pixels], drop=self._drop, draw=own_draw)
        first = 1 + self._teacher.architecture.registers
        own = 1 + student.backbone.architecture.registers
        losses = {
            "class": _apart(student.class_bridge(tokens[:, 0]), wanted[:, 0]),
            "patches": _apart(student.patch_bridge(tokens[:, own:]), wanted[:, first:]),
        }
        return Step(losses, tokens[: len(pixels) // 2, 0].detach())


def _apart(tokens: Tensor, wanted: Tensor) -> Tensor:
    return 1 - F.cosine_similarity(tokens.float(), wanted.float(), dim=-1).mean()
