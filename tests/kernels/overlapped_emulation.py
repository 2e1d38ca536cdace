"""One program of the overlapped kernel in torch, line for line, on a shared memory that is slow.

Copies and products land as early or as late as their waits allow: what reads a block that is not
there yet, or is overwritten already, gets other numbers.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from kernels.tiles import LOG2_E


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


def weigh(s: Tensor, m: Tensor, l: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # noqa: E741
    scale = LOG2_E / math.sqrt(HEAD_DIM)
    m_new = torch.maximum(m, s.amax(1) * scale)
    p = torch.exp2(s * scale - m_new[:, None])
    alpha = torch.exp2(m - m_new)
    return p, m_new, l * alpha + p.sum(1), alpha


HEAD_DIM = 64


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    constants: dict[str, int],
    *,
    late_copies: bool,
    late_products: bool,
    value_slots: int = 1,
) -> Tensor:
    """Attention of up to BM queries over N keys, all `[.., D]` float32.

    Args:
        q, k, v: of one head.
        constants: of the kernel.
        late_copies, late_products: when they land.
        value_slots: by how many the ring of values is longer than that of keys.
    """
    block, stages = constants["BN"], constants["STAGES"]
    n_values = stages + value_slots
    copies, products = Waits(late_copies), Waits(late_products)
    s_k = torch.full((stages, block, HEAD_DIM), math.nan)
    s_v = torch.full((n_values, block, HEAD_DIM), math.nan)
    b_s, b_acc = torch.full((len(q), block), math.nan), torch.zeros(len(q), HEAD_DIM)

    def load(j: int) -> None:
        copies.commit(
            lambda: s_k[j % stages].copy_(rows_of(k, j * block, block)),
            lambda: s_v[j % n_values].copy_(rows_of(v, j * block, block)),
        )

    def score(keys: Tensor) -> None:
        products.commit(lambda: b_s[:, : len(keys)].copy_(q @ keys.T))

    def weight(p: Tensor, values: Tensor) -> None:
        products.commit(lambda: b_acc.add_(p @ values))

    for j in range(stages):
        load(j)
    copies.wait(stages - 1)
    score(s_k[0])
    products.wait(0)
    sums = torch.zeros(len(q))
    p, m, sums, alpha = weigh(b_s, sums - math.inf, sums)
    n_full = len(k) // block
    for j in range(n_full - 1):
        copies.wait(stages - 2)
        score(s_k[(j + 1) % stages])
        weight(p, s_v[j % n_values])
        load(j + stages)
        products.wait(1)
        p, m, sums, alpha = weigh(b_s, m, sums)
        products.wait(0)
        b_acc *= alpha[:, None]
    copies.wait(0)
    last = s_v[(n_full - 1) % n_values]
    tail = constants["TAIL"]
    if tail > 0:
        score(s_k[n_full % stages, :tail])
        weight(p, last)
        products.wait(1)
        seen = n_full * block + torch.arange(tail) < len(k)
        p, m, sums, alpha = weigh(b_s[:, :tail].where(seen, -math.inf), m, sums)
        products.wait(0)
        b_acc *= alpha[:, None]
        weight(p, s_v[n_full % n_values, :tail])
    else:
        weight(p, last)
    products.wait(0)
    return b_acc / sums[:, None]
