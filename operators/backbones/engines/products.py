"""A linear layer's product with what follows it: GELU, or the sum with the residual stream.

By oneDNN, weights laid out once and the rest done before the product leaves the registers, where
that is faster; by plain torch where a processor, a build or a GPU has no such products.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Product(Protocol):
    """Rows `[R, in]` to rows `[R, out]`, of the product's dtype."""

    def __call__(self, rows: Tensor) -> Tensor:
        """`rows W^T + b`."""

    def gelu(self, rows: Tensor) -> Tensor:
        """The exact GELU of it."""

    def added(self, rows: Tensor, to: Tensor) -> Tensor:
        """`to` `[R, out]` plus it, perhaps in `to`'s own memory.

        In `to`'s dtype: the product's, or float32.
        """


def packs(dtype: torch.dtype) -> bool:
    """Whether this torch on this processor has products by oneDNN."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def fuses() -> bool:
    """Whether what follows a product is done inside it.

    With AVX2 alone oneDNN's GELU takes 2.5 times as long there as torch's after it, and the sum
    longer too (docs/decisions/cpu.md).
    """
    return torch.backends.cpu.get_cpu_capability() != "AVX2"


def product(layer: nn.Linear, dtype: torch.dtype) -> Product:
    """The fastest there is.

    Args:
        layer: float32, on any device; not changed.
        dtype: float32 or bfloat16.
    """
    on_cpu = layer.weight.device.type == "cpu"
    return PackedProduct(layer, dtype) if on_cpu and packs(dtype) else PlainProduct(layer, dtype)


class PackedProduct:
    """Implements `Product` by oneDNN. torch alone would lay a weight out anew for every frame."""

    def __init__(self, layer: nn.Linear, dtype: torch.dtype) -> None:
        """
        Args:
            layer: float32, on the CPU; not changed.
            dtype: one that this processor has products of.
        """
        one = torch.ops.mkldnn
        self._weight = one._reorder_linear_weight(layer.weight.detach().to(dtype))
        self._bias = layer.bias.detach().to(dtype)
        # Bound once: finding the overload at every call costs 1 ms of a frame, under Python's lock.
        self._alone, self._summed = one._linear_pointwise.default, one._linear_pointwise.binary
        self._fuses = fuses()

    def __call__(self, rows: Tensor) -> Tensor:
        out: Tensor = self._alone(rows, self._weight, self._bias, "none", [], "")
        return out

    def gelu(self, rows: Tensor) -> Tensor:
        if not self._fuses:
            return F.gelu(self(rows))
        out: Tensor = self._alone(rows, self._weight, self._bias, "gelu", [], "none")
        return out

    def added(self, rows: Tensor, to: Tensor) -> Tensor:
        if not self._fuses or to.dtype != rows.dtype:
            return to.add_(self(rows).to(to.dtype))
        out: Tensor = self._summed(rows, to, self._weight, self._bias, "add")
        return out


class PlainProduct:
    """Implements `Product` by torch, on any processor."""

    def __init__(self, layer: nn.Linear, dtype: torch.dtype) -> None:
        """
        Args:
            layer: float32, on any device; not changed.
            dtype: of products.
        """
        self._weight, self._bias = (of.detach().to(dtype) for of in (layer.weight, layer.bias))

    def __call__(self, rows: Tensor) -> Tensor:
        return F.linear(rows, self._weight, self._bias)

    def gelu(self, rows: Tensor) -> Tensor:
        return F.gelu(self(rows))

    def added(self, rows: Tensor, to: Tensor) -> Tensor:
        return to.add_(self(rows).to(to.dtype))
