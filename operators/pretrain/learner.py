"""What is trained, and what teaches it: a backbone with the two heads that are compared."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.pretrain.head import ProjectionHead
from operators.pretrain.packed import PackedTransformer
from operators.pretrain.trainee import Trainee


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Sizes of both heads; DINOv2's for its large models are 131072, 2048 and 384 or 256.

    Attributes:
        prototypes: K, what a token is compared with. Many cost much on a small model: 65536 are
            57 % of a ViT-Ti's step at 112 px.
        hidden: width of the two layers inside.
        bottleneck: numbers that prototypes are made of.
    """

    prototypes: int = 4096
    hidden: int = 1024
    bottleneck: int = 128


class Learner(Trainee):
    """A backbone, a head for class tokens and one for patches, which share nothing.

    State-dict names are upstream's: `backbone.*`, `dino_head.*`, `ibot_head.*`.
    """

    def __init__(
        self, arch: Architecture, shape: HeadShape, draw: torch.Generator | None = None
    ) -> None:
        """
        Args:
            arch: of the backbone.
            shape: of the heads.
            draw: decides where the heads start.
        """
        super().__init__()
        self.backbone = PackedTransformer(arch)
        self.dino_head, self.ibot_head = (
            ProjectionHead(
                arch.width,
                shape.prototypes,
                hidden=shape.hidden,
                bottleneck=shape.bottleneck,
                draw=draw,
            )
            for _ in range(2)
        )

    @property
    def heads(self) -> tuple[nn.Module, ...]:
        """What is compared through."""
        return self.dino_head, self.ibot_head

    @property
    def head_tensors(self) -> dict[str, Tensor]:
        """Of both, by the names that they have here."""
        state: dict[str, Tensor] = self.state_dict()
        return {name: own for name, own in state.items() if not name.startswith("backbone.")}


def fresh_tensors(arch: Architecture, seed: int, layer_scale: float) -> dict[str, Tensor]:
    """A backbone that has learnt nothing: tokens near nothing, mask token and offsets at nothing.

    Args:
        arch: its sizes.
        seed: of all that is drawn.
        layer_scale: what every branch begins with.
    """
    tensors = random_tensors(arch, seed)
    for name, own in tensors.items():
        if name.endswith(".gamma"):
            own.fill_(layer_scale)
        elif name in ("cls_token", "register_tokens"):
            own.mul_(_TOKEN_STD / _MATRIX_STD)
        elif name == "mask_token":
            own.zero_()
    return tensors


_TOKEN_STD, _MATRIX_STD = 1e-6, 0.02
