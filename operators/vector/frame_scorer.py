"""What gives a whole frame a score for every class: a head on the frame's one vector, or another.

Features in -> logits out. Must not know what the classes are called, or what is said of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.frames import Features
from operators.vector.frame_vector import FrameVector
from operators.vector.own_blocks import Tail, tail_layout
from operators.vector.vector_head import VectorHead
from operators.weights.heads import Head


class FrameScorer(Protocol):
    """Scores of frames."""

    @property
    def layers(self) -> Sequence[int]:
        """Blocks that `Features.layers` must hold."""

    def settings(self) -> Mapping[str, Any]:
        """What can change a score, beside the head's weights."""

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move to where features come from; `dtype` is of the backbone's products."""

    def logits(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, classes]`; scores are their softmax."""


class VectorScorer:
    """Implements `FrameScorer` by a head on the frame's one vector."""

    def __init__(
        self,
        head: Head,
        arch: Architecture,
        classes: int,
        vector: FrameVector,
        *,
        unit: bool = False,
    ) -> None:
        """
        Args:
            head: tensors of `operators.vector.vector_head`, and of blocks of its own
                (`operators.vector.own_blocks`).
            arch: the backbone's sizes.
            classes: how many there are.
            vector: the tokens that the head reads.
            unit: the vector is divided by its length first.

        Raises:
            WeightsError: the head does not fit the backbone, the classes or the vector.
        """
        self._head = VectorHead(head, vector.width(arch), classes, tail_layout(head, arch))
        self._tail = Tail(head, arch, vector)
        self.layers = self._tail.layers
        self._vector, self._unit = vector, unit

    def settings(self) -> Mapping[str, Any]:
        return {"vector": self._vector.to_json(), "unit": self._unit}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 whatever the backbone runs in: it is small. Blocks of its own run
        as the backbone does."""
        self._head.to(device)
        self._tail.to(device, dtype)

    def logits(self, features: Features, rows: slice) -> Tensor:
        vectors = self._tail.vectors(features, rows)
        return self._head.logits(
            vectors / vectors.norm(dim=1, keepdim=True) if self._unit else vectors
        )
