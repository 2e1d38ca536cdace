"""What the decoder of boxes is built of: linear layers that may round, attention, and how far a
patch is from a box.

Tensors in -> tensors out. Must not know what queries stand for.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.backbones.engines.products import Product, product

Module = TypeVar("Module", bound=nn.Module)

_REACH_WIDTH = 32
_LEAST = 1e-4  # side of a box, share of the picture


class Wide(nn.Linear):
    """A linear layer whose product may be rounded; what goes in and comes out is float32."""

    _product: Product | None = None
    _dtype = torch.float32

    def round_to(self, dtype: torch.dtype) -> None:
        """Multiply in a dtype from now on; the weights are final."""
        # float32 stays with torch: for rows so few its products are the faster ones.
        if dtype != torch.float32:
            self._product, self._dtype = product(self, dtype), dtype

    def forward(self, rows: Tensor) -> Tensor:
        if self._product is None:
            return F.linear(rows, self.weight, self.bias)
        flat = rows.to(self._dtype).flatten(0, -2)
        return self._product(flat).float().view(*rows.shape[:-1], self.out_features)


def rounded(module: Module, dtype: torch.dtype) -> Module:
    """A copy for inference whose wide layers multiply in a dtype."""
    own = deepcopy(module).requires_grad_(False).eval()
    for layer in own.modules():
        if isinstance(layer, Wide):
            layer.round_to(dtype)
    return own


class Mlp(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, hidden: int, out: int) -> None:
        super().__init__()
        self.hidden = Wide(width, hidden)
        self.out = Wide(hidden, out)

    def forward(self, rows: Tensor) -> Tensor:
        found: Tensor = self.out(F.gelu(self.hidden(rows)))
        return found


@dataclass(frozen=True, slots=True)
class Middles:
    """Of the patches of a picture, in shares of it.

    Attributes:
        across: x of every column `[w]`.
        down: y of every row `[h]`.
        all: x and y of every patch `[h * w, 2]`.
    """

    across: Tensor
    down: Tensor
    all: Tensor

    @classmethod
    def of(cls, grid: tuple[int, int], device: torch.device) -> Middles:
        """
        Args:
            grid: patches down and across, h and w.
            device: where they are needed.
        """
        down, across = ((torch.arange(side, device=device) + 0.5) / side for side in grid)
        y, x = torch.meshgrid(down, across, indexing="ij")
        return cls(across, down, torch.stack((x, y), dim=-1).flatten(0, 1))


class Reach(nn.Module):
    """How far every patch is from the edges of every box, as a bias of attention.

    Across and down apart, so that it costs next to nothing: the box-to-pixel bias of Plain-DETR
    (Lin et al. 2023), with distances in patches on a logarithmic scale.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.across = _distance_layers(2, heads)
        self.down = _distance_layers(2, heads)

    def forward(self, boxes: Tensor, middles: Middles) -> Tensor:
        """
        Args:
            boxes: left, top, right, bottom `[R, K, 4]`, shares of the picture.
            middles: of the patches, h down and w across.

        Returns:
            `[R, heads, K, h * w]`.
        """
        down: Tensor = self.down(_distances(boxes[..., 1::2], middles.down)).permute(0, 3, 1, 2)
        across = self.across(_distances(boxes[..., 0::2], middles.across)).permute(0, 3, 1, 2)
        both: Tensor = down[..., None] + across[..., None, :]
        return both.flatten(3)


class Relation(nn.Module):
    """Where boxes lie to each other and how their sizes compare, as a bias of attention.

    Two guesses at one thing have to see that they are two, so that one of them gives way (position
    relation of Hou et al. 2024).
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.layers = _distance_layers(4, heads)

    def forward(self, boxes: Tensor) -> Tensor:
        """
        Args:
            boxes: centre x, y, width, height `[R, K, 4]`, shares of the picture.

        Returns:
            `[R, heads, K, K]`.
        """
        centres, sizes = boxes[..., :2], boxes[..., 2:].clamp_min(_LEAST)
        away = (centres[:, None] - centres[:, :, None]) / sizes[:, :, None]
        larger = (sizes[:, None] / sizes[:, :, None]).log()
        said: Tensor = self.layers(torch.cat([_compressed(away), larger], dim=-1))
        return said.permute(0, 3, 1, 2).contiguous()


class Gaze(nn.Module):
    """Where the heads of a query look, seen from its box: what a box has to move by."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.out = nn.Linear(2 * heads, width)

    def forward(self, weights: Tensor, boxes: Tensor, middles: Middles) -> Tensor:
        """
        Args:
            weights: of patches `[R, heads, K, h * w]`.
            boxes: centre x, y, width, height `[R, K, 4]`, shares of the picture.
            middles: of the patches, h down and w across.

        Returns:
            `[R, K, W]`.
        """
        x, y = (weights @ middles.all - boxes[:, None, :, :2]).unbind(-1)
        found: Tensor = self.out(
            torch.cat([x * len(middles.across), y * len(middles.down)], dim=1).mT
        )
        return found


class Attention(nn.Module):
    """Queries look at memory."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Wide(width, width)
        self.key = Wide(width, width)
        self.value = Wide(width, width)
        self.out = Wide(width, width)

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """
        Args:
            queries: `[R, K, W]`.
            keys, values: `[R, N, W]`.
            bias: `[R, heads, K, N]`, added before the softmax.

        Returns:
            `[R, K, W]`, and how much each looks at what `[R, heads, K, N]`.
        """
        q = self._split(self.query(queries))
        k, v = self._split(self.key(keys)), self._split(self.value(values))
        weights = (bias + q / q.shape[-1] ** 0.5 @ k.mT).softmax(dim=-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2)), weights

    def _split(self, rows: Tensor) -> Tensor:
        return rows.view(*rows.shape[:2], self.heads, -1).transpose(1, 2)


def _distance_layers(numbers: int, heads: int) -> nn.Sequential:
    """Exact: a distance is a number that rounding would spoil."""
    first, last = nn.Linear(numbers, _REACH_WIDTH), nn.Linear(_REACH_WIDTH, heads)
    return nn.Sequential(first, nn.ReLU(), last)


def _distances(edges: Tensor, middles: Tensor) -> Tensor:
    """From two edges `[R, K, 2]`, shares, to middles `[n]`: `[R, K, n, 2]`, patches."""
    return _compressed((middles[:, None] - edges[:, :, None]) * len(middles))


def _compressed(away: Tensor) -> Tensor:
    """Near ones exact, far ones on a logarithmic scale."""
    return away.abs().log1p().copysign(away)
