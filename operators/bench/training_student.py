"""What the ladder of training's tricks is climbed with: a student, its crops, and a pass over them.

Sizes in -> a `Student` with drawn weights and crops. No heads, no teacher, no optimiser: their cost
is the same on all rungs. Must not time anything.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from operators.backbones.architectures import architecture
from operators.bench.training_pass import Rung
from operators.pretrain.packed import PackedTransformer


@dataclass(frozen=True, slots=True)
class Climb:
    """What is measured.

    Attributes:
        model: name of an architecture.
        pictures: at a time.
        small: small crops of each, beside 2 large ones.
        large_px: side of a large crop.
        small_px: side of a small one.
        drop: share of the crops of a size that a branch leaves out.
        rounds: of passes, the rungs in turn.
        threads: of torch on a CPU.
        device: "cpu", float32 and one core's seconds; or "cuda", bfloat16 under autocast.
    """

    model: str
    pictures: int
    small: int = 8
    large_px: int = 224
    small_px: int = 98
    drop: float = 0.4
    rounds: int = 5
    threads: int = 1
    device: str = "cpu"


class Student:
    """Weights and crops, drawn from a seed, and a pass over them."""

    def __init__(self, climb: Climb) -> None:
        """
        Args:
            climb: what is measured.
        """
        self.climb = climb
        self._draw = torch.Generator().manual_seed(0)
        torch.set_num_threads(climb.threads)
        self.vit = PackedTransformer(architecture(climb.model))
        with torch.no_grad():
            for parameter in self.vit.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=0.02, generator=self._draw)
        self.vit.to(climb.device)
        counts = (
            (2 * climb.pictures, climb.large_px),
            (climb.small * climb.pictures, climb.small_px),
        )
        self.crops = [self._pixels(count, side) for count, side in counts if count]

    def _pixels(self, count: int, side: int) -> Tensor:
        return torch.randn(count, 3, side, side, generator=self._draw).to(self.climb.device)

    def train(self, rung: Rung, *, drop: float | None = None) -> None:
        """Forward and backward; the gradients are left in the parameters."""
        self.vit.zero_grad(set_to_none=True)
        self._draw.manual_seed(1)
        share = self.climb.drop if drop is None else drop
        with self._precision():
            tokens = rung.tokens(self.vit, self.crops, share, self._draw)
        loss = torch.stack([one.float().square().mean() for one in tokens]).sum()
        torch.autograd.backward(loss)

    def gradient(self, rung: Rung, *, drop: float) -> Tensor:
        """All gradients of a pass in one vector, float32."""
        self.train(rung, drop=drop)
        found = [one.grad for one in self.vit.parameters() if one.grad is not None]
        return torch.cat([one.flatten().float() for one in found])

    def kept_bytes(self, rung: Rung) -> int:
        """Bytes that a forward pass keeps for its backward pass, weights left out."""
        weights = {one.untyped_storage().data_ptr() for one in self.vit.parameters()}
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            self.train(rung)
        return sum(kept.values())

    def _precision(self) -> AbstractContextManager[object]:
        if self.climb.device == "cpu":
            return nullcontext()
        return torch.autocast("cuda", torch.bfloat16)
