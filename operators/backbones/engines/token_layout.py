"""Where a frame's patches lie: their bytes, what each place adds or turns, the tokens before.

Belongs to a frozen backbone; knows nothing of its blocks.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor

from operators.backbones.rotary import Rotation
from operators.backbones.vit import VisionTransformer, resize_positions

_KEPT_SIZES = 32  # positional embeddings kept, one per frame size; the largest takes 8 MB

T = TypeVar("T")


class TokenLayout:
    """Of a frozen `VisionTransformer`, which it does not share. Several threads may ask at once."""

    def __init__(self, vit: VisionTransformer, dtype: torch.dtype) -> None:
        """
        Args:
            vit: float32, on the CPU.
            dtype: of tiles; what lies around them is float32.
        """
        self._architecture = vit.architecture
        self._dtype = dtype
        self._table = None if vit.pos_embed is None else vit.pos_embed.detach().float().clone()
        self._rotary = deepcopy(vit.rope_embed)
        self._positions: dict[tuple[int, int], Tensor] = {}
        self._rotations: dict[tuple[int, int], Rotation] = {}
        registers = vit.register_tokens
        named = (vit.cls_token, *(() if registers is None else (registers,)))
        self._first = torch.cat([token.detach().float() for token in named], 1)

    def grid(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        """Patches down and across a frame of a size."""
        side = self._architecture.patch
        return size_hw[0] // side, size_hw[1] // side

    def tokens(self, size_hw: tuple[int, int]) -> int:
        """N of a frame of a size."""
        h, w = self.grid(size_hw)
        return self._first.shape[1] + h * w

    def tiles(self, pixels: Tensor) -> Tensor:
        """Every patch's bytes.

        Args:
            pixels: uint8 RGB `[B, H, W, 3]`, H and W multiples of the patch.

        Returns:
            `[B, hw, 3 * patch**2]`, one colour after the other.
        """
        batch, height, width, colours = pixels.shape
        (h, w), side = self.grid((height, width)), self._architecture.patch
        tiles = pixels.view(batch, h, side, w, side, colours).permute(0, 1, 3, 5, 2, 4)
        return tiles.reshape(batch, h * w, -1).to(self._dtype)

    def placed(self, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Class and register tokens `[1, 1 + R, D]`, and what each patch's place adds `[1, hw, D]`.

        Both float32.

        Args:
            size_hw: of the frame.
        """
        h, w = grid = self.grid(size_hw)
        if self._table is None:
            return self._first, self._first.new_zeros(1, h * w, self._first.shape[2])
        table = self._positions.get(grid)
        if table is None:  # several threads may come here at once: each is right
            table = resize_positions(self._table, grid, self._architecture)
            _keep(self._positions, grid, table)
        first = torch.cat((self._first[:, :1] + table[:, :1], self._first[:, 1:]), 1)
        return first, table[:, 1:]

    def rotation(self, size_hw: tuple[int, int]) -> Rotation | None:
        """How queries and keys of all N tokens turn; None: they do not.

        Args:
            size_hw: of the frame.
        """
        if self._rotary is None:
            return None
        grid = self.grid(size_hw)
        rotation = self._rotations.get(grid)
        if rotation is None:  # several threads may come here at once: each is right
            rotation = self._rotary(*grid)
            _keep(self._rotations, grid, rotation)
        return rotation


def _keep(kept: dict[tuple[int, int], T], grid: tuple[int, int], of_grid: T) -> None:
    if len(kept) >= _KEPT_SIZES:
        kept.clear()
    kept[grid] = of_grid
