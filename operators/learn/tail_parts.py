"""Frames as last blocks of one's own see them: tokens before them in -> parts of `Examples` out.

What the blocks before them say stays as it was. Knows nothing of how blocks came to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from operators.backbones.thread_pool import ThreadPool
from operators.learn.examples import Examples, Floats

Tokens = Callable[[int], Tensor]
"""A row of `Examples.parts` -> that frame's tokens as they enter the blocks, class token first:
`[N, D]`, in any precision."""

_TOGETHER = 16  # frames that go through the blocks at a time: bounds memory


class TailParts(nn.Module):
    """Blocks and the final norm behind them, float32 on the CPU.

    The norm does not learn: its gain and offset before a linear head are the head's own.
    """

    def __init__(self, blocks: nn.ModuleList, norm: nn.Module) -> None:
        """
        Args:
            blocks: the last ones of a backbone.
            norm: the backbone's final one.
        """
        super().__init__()
        self.blocks, self._norm = blocks, norm

    def forward(self, frozen: Tensor, tokens: Sequence[Tensor]) -> Tensor:
        """Parts of frames as `Examples` has them, `[n, P, D]`.

        Args:
            frozen: their parts as the frozen backbone sees them, `[n, P, D]`.
            tokens: what goes into the blocks, `[N, D]` of each frame.
        """
        sizes: dict[int, list[int]] = {}
        for row, one in enumerate(tokens):
            sizes.setdefault(len(one), []).append(row)
        together = [
            self._own(torch.stack([tokens[row].float() for row in same])) for same in sizes.values()
        ]
        rows = [row for same in sizes.values() for row in same]
        own = torch.cat(together)[torch.tensor(rows).argsort()]
        fresh = min(own.shape[1], frozen.shape[1])
        return torch.cat((frozen[:, : frozen.shape[1] - fresh], own[:, -fresh:]), dim=1)

    def seen(self, examples: Examples, tokens: Tokens, pool: ThreadPool) -> Examples:
        """The same windows, their frames as the blocks see them; frames in no window are dropped.

        Args:
            examples: windows, as the frozen backbone sees them, with the mean patch.
            tokens: of their frames.
            pool: the threads that look.
        """
        alone, rows = examples.alone()

        @torch.no_grad()  # of this thread alone
        def look(first: int) -> Floats:
            some = slice(first, first + _TOGETHER)
            frozen = torch.from_numpy(alone.parts[some])
            parts: Floats = self(frozen, [tokens(int(row)) for row in rows[some]]).numpy()
            return parts

        pieces = pool.map(look, range(0, len(rows), _TOGETHER))
        return replace(alone, parts=np.concatenate(pieces))

    def _own(self, tokens: Tensor) -> Tensor:
        """`[n, N, D]` -> class tokens behind each block and the mean patch, normalised."""
        parts = []
        for block in self.blocks:
            tokens = block(tokens)
            parts.append(self._norm(tokens[:, 0]))
        return torch.stack([*parts, self._norm(tokens[:, 1:]).mean(dim=1)], dim=1)
