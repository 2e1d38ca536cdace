"""Last blocks and a linear head that learn together: tokens of frames in -> logits of windows out.

Begins as the frozen backbone and the frozen head, so its first logits are theirs. Knows nothing of
steps or of how good it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from operators.backbones.vit import VisionTransformer
from operators.learn.examples import Examples
from operators.learn.frame_scale import FrameScale
from operators.learn.scoring import pooled_windows
from operators.learn.tail_parts import TailParts
from operators.vector.frame_vector import FrameVector
from operators.vector.own_blocks import block_name
from operators.vector.pooling import QUERY
from operators.vector.vector_head import BIAS, WEIGHT


class TailModel(nn.Module):
    """Float32, on the CPU; the head learns on standardised vectors."""

    def __init__(
        self,
        backbone: VisionTransformer,
        blocks: int,
        tensors: Mapping[str, Tensor],
        facts: Mapping[str, Any],
        train: Examples,
    ) -> None:
        """
        Args:
            backbone: whose last blocks are copied.
            blocks: how many of them.
            tensors: of the linear head to begin with, as a head file has them.
            facts: its header: `vector` and `pooling`.
            train: the training part, which says on what scale the head learns.
        """
        super().__init__()
        self._first = len(backbone.blocks) - blocks
        own = deepcopy(backbone.blocks[self._first :]).cpu().float().requires_grad_(True)
        self.parts = TailParts(own, deepcopy(backbone.norm).cpu().float())
        vector = FrameVector.from_json(facts["vector"])
        self._places, self._pooling = train.places(vector), facts["pooling"]
        self._scale = FrameScale.of(train, train.vectors(vector))
        deviation, mean = self._wide(tensors[WEIGHT])
        self.weight = nn.Parameter(tensors[WEIGHT] * deviation)
        self.bias = nn.Parameter(tensors[BIAS] + tensors[WEIGHT] @ mean)
        self.query = (
            nn.Parameter(tensors[QUERY] * self._scale.deviation) if QUERY in tensors else None
        )

    @property
    def head(self) -> list[nn.Parameter]:
        """What learns beside the blocks."""
        return [self.weight, self.bias, *([] if self.query is None else [self.query])]

    def forward(self, examples: Examples, tokens: Sequence[Tensor]) -> Tensor:
        """Logits `[M, K]` of windows.

        Args:
            examples: windows, as the frozen backbone sees them.
            tokens: of every frame of theirs, `[N, D]`.
        """
        parts = self.parts(torch.from_numpy(examples.parts), tokens)
        vectors = parts[:, self._places].flatten(1)
        inputs = (vectors - self._scale.mean) / self._scale.deviation
        pooled = pooled_windows(inputs, examples, self._pooling, self.query)
        logits: Tensor = pooled @ self.weight.T + self.bias
        return logits

    @torch.no_grad()
    def folded(self) -> dict[str, Tensor]:
        """As a head file has them, for vectors that are not standardised."""
        deviation, mean = self._wide(self.weight)
        weight = self.weight / deviation
        tensors = {WEIGHT: weight, BIAS: self.bias - weight @ mean}
        if self.query is not None:
            tensors[QUERY] = self.query / self._scale.deviation
        for number, block in enumerate(self.parts.blocks, start=self._first):
            tensors |= {block_name(number, name): one for name, one in block.state_dict().items()}
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}

    def _wide(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Deviation and mean of every number that a pooled window has."""
        repeats = weight.shape[1] // len(self._scale.mean)
        return self._scale.deviation.repeat(repeats), self._scale.mean.repeat(repeats)
