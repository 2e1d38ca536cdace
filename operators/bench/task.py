"""What a backbone is asked for: how many frames of which size, on which device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.preprocess import normalise
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import VisionTransformer, filled_vit

# How many times the first patch's position is added to all on a GPU, where its accuracy is gated:
# beside that each branch is small, as in a trained model, so that a stream which is rounded shows.
# One for all, because transformers resizes positions by another rule (`PEER_COSINE`).
_STREAM = 100


@dataclass(frozen=True)
class Task:
    """Some frames of noise and one model with seeded weights, the same for every contestant.

    Attributes:
        arch: of the model.
        side: of the square frames, pixels.
        batch: frames at a time.
        device: where it runs.
        cores: that a CPU may use.
        seed: of the weights and of the frames.
    """

    arch: Architecture
    side: int
    batch: int
    device: torch.device
    cores: int
    seed: int = 0

    @property
    def name(self) -> str:
        """As the command line has it: `224x8`."""
        return f"{self.side}x{self.batch}"

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """`[B, H, W, 3]`."""
        draw = np.random.default_rng(self.seed)
        return draw.integers(0, 256, (self.batch, self.side, self.side, 3), dtype=np.uint8)

    def normalised(self, dtype: torch.dtype) -> Tensor:
        """The frames as other implementations want them, `[B, 3, H, W]` on the device."""
        return normalise(torch.from_numpy(self.pixels), torch.float32).to(self.device, dtype)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The weights, by upstream's names; drawing those of ViT-g takes longer than running it."""
        tensors = random_tensors(self.arch, self.seed)
        if self.device.type != "cpu":
            positions = tensors["pos_embed"]
            tensors["pos_embed"] = positions + _STREAM * positions[:, 1:2]
        return tensors

    def model(self) -> VisionTransformer:
        """A model with these weights, float32 on the CPU; nobody may write to them."""
        return filled_vit(self.arch, self.tensors)
