"""What the emulations of Gluon's kernels stand on: waits, copies, weights, and whole launches.

In: queries, keys and values of one head, `[.., D]` float32. Must not know any schedule.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from kernels.flash_gluon import constants
from kernels.tiles import LOG2_E, Variant

HEAD_DIM = 64
SCALE = LOG2_E / math.sqrt(HEAD_DIM)

Attend = Callable[[Tensor, Tensor, Tensor, dict[str, int]], Tensor]
"""One program: queries [BM, D], keys and values [N, D], the kernel's constants; gives [BM, D]."""


class Waits:
    """Work in flight, in groups: done at once, or only when a wait leaves fewer pending."""

    def __init__(self, late: bool) -> None:
        self.late = late
        self.pending: list[list[Callable[[], object]]] = []

    def commit(self, *work: Callable[[], object]) -> None:
        self.pending.append(list(work))
        if not self.late:
            self.wait(0)

    def wait(self, pending: int) -> None:
        while len(self.pending) > pending:
            for work in self.pending.pop(0):
                work()


def rows_of(source: Tensor, start: int, n_rows: int) -> Tensor:
    """Rows from `start` on; those beyond the last are zeros."""
    rows = source.new_zeros(n_rows, source.shape[1])
    found = source[start : start + n_rows]
    rows[: len(found)] = found
    return rows


def highest(s: Tensor) -> Tensor:
    return s.amax(1) * SCALE


def power(s: Tensor, m: Tensor) -> Tensor:
    return torch.exp2(s * SCALE - m[:, None])


def weigh(s: Tensor, m: Tensor, l: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # noqa: E741
    m_new = torch.maximum(m, highest(s))
    p = power(s, m_new)
    alpha = torch.exp2(m - m_new)
    return p, m_new, l * alpha + p.sum(1), alpha


def without_missing_keys(s: Tensor, start: int, n_tokens: int) -> Tensor:
    seen = start + torch.arange(s.shape[1]) < n_tokens
    return s.where(seen, -math.inf)


def launch_blocks(attend: Attend, qkv: Tensor, variant: Variant) -> Tensor:
    """Every program of one head [N, 3, D], into an output that is full of NaN."""
    n_tokens = len(qkv)
    q, k, v = qkv.unbind(1)
    out = torch.full((n_tokens, HEAD_DIM), math.nan)
    block_q = variant.tile.block_q
    for i_m in range(0, variant.n_blocks(n_tokens) * block_q, block_q):
        rows = attend(rows_of(q, i_m, block_q), k, v, constants(variant))
        written = out[i_m : i_m + block_q]
        written.copy_(rows[: len(written)])
    return out
