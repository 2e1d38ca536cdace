"""A dense head's linear layer: some blocks' patches in -> numbers per patch out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from operators.backbones.engines.products import Product, product
from operators.backbones.precision import Precision


class Projection:
    """A 1x1 convolution over blocks side by side.

    On a CPU it is rounded as the backbone's products are: in float32 it would take a sixteenth of a
    bfloat16 backbone's time. On a GPU it is float32 unless a user asked for less.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """
        Args:
            weight: `[out, in]`, float32.
            bias: `[out]`, float32; zero where there is none.
        """
        self._layer = nn.Linear(weight.shape[1], weight.shape[0]).requires_grad_(False)
        self._layer.weight.copy_(weight)
        self._layer.bias.copy_(torch.zeros(len(weight)) if bias is None else bias)
        self._products: dict[torch.dtype, Product] = {}

    @property
    def weight(self) -> Tensor:
        """`[out, in]`, float32."""
        return self._layer.weight

    def load(self, device: torch.device) -> None:
        """Put it on a device."""
        self._layer.to(device)
        self._products.clear()

    def __call__(self, blocks: Sequence[Tensor], precision: Precision | None) -> Tensor:
        """Of all patches, float32 `[R*h*w, out]`.

        Args:
            blocks: `[R, h, w, D]` each, D of all together `in`.
            precision: of the product (`Features.precision`).
        """
        precision = precision or Precision.FLOAT32
        dtype = precision.dtype
        rows = torch.cat([block.to(dtype) for block in blocks], dim=-1).flatten(0, -2)
        if dtype not in self._products:  # several threads may come here at once: each is right
            self._products[dtype] = product(self._layer, dtype)
        with precision.on(rows.device):
            return self._products[dtype](rows).float()
