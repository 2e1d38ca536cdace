"""Masks of a decoder's queries: blocks of patches, and what queries know -> a logit for every cell.

Each patch says what its cells hold, and a query's mask is its product with them (MaskFormer,
arXiv 2107.06278), biased by how far a cell lies from the edges of the query's box. Knows nothing of
classes.
"""

from __future__ import annotations

from torch import Tensor, nn

from operators.detect.layers import Middles, Mlp, Reach, Wide
from operators.frames import CELLS


class MaskBranch(nn.Module):
    """One code trains and runs."""

    def __init__(self, read_width: int, width: int, mask_width: int) -> None:
        """
        Args:
            read_width: F, numbers of the blocks that a patch is read from.
            width: W, numbers of a patch and of a query.
            mask_width: E, numbers of a cell.
        """
        super().__init__()
        # Where a thing ends is other news than what it is: patches are read once more.
        self.read = Wide(read_width, width)
        self.read_norm = nn.LayerNorm(width)
        self.cells = Mlp(width, 2 * width, CELLS**2 * mask_width)
        self.query = Mlp(width, width, mask_width)
        self.reach = Reach(1)

    def painted(self, blocks: Tensor, memory: Tensor) -> Tensor:
        """What the cells of pictures hold.

        Args:
            blocks: of their patches `[R, h, w, F]`.
            memory: what queries look at `[R, h * w, W]`.

        Returns:
            `[R, CELLS * h, CELLS * w, E]`.
        """
        count, down, across, _ = blocks.shape
        read = self.read_norm(self.read(blocks.flatten(1, 2)))
        own = self.cells(memory + read).view(count, down, across, CELLS, CELLS, -1)
        rows: Tensor = own.transpose(2, 3).reshape(count, CELLS * down, CELLS * across, -1)
        return rows

    def forward(self, told: Tensor, boxes: Tensor, cells: Tensor) -> Tensor:
        """
        Args:
            told: of queries `[R, K, W]`.
            boxes: theirs, left, top, right, bottom `[R, K, 4]`, shares of the picture.
            cells: of `painted`.

        Returns:
            Logits, above zero inside the mask, `[R, K, CELLS * h, CELLS * w]`.
        """
        down, across = cells.shape[1:3]
        asked = self.query(told) @ cells.flatten(1, 2).mT
        near = self.reach(boxes, Middles.of((down, across), cells.device))
        logits: Tensor = (asked + near[:, 0]).unflatten(-1, (down, across))
        return logits
