"""One program of the overlapped kernel in torch, line for line, on a shared memory that is slow.

Copies and products land as early or as late as their waits allow: what reads a block that is not
there yet, or is overwritten already, gets other numbers.
"""

import math

import torch
from torch import Tensor

from tests.kernels.slow_memory import HEAD_DIM, Waits, rows_of, weigh, without_missing_keys


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
        b_t = without_missing_keys(b_s[:, :tail], n_full * block, len(k))
        p, m, sums, alpha = weigh(b_t, m, sums)
        products.wait(0)
        b_acc *= alpha[:, None]
        weight(p, s_v[n_full % n_values, :tail])
    else:
        weight(p, last)
    products.wait(0)
    return b_acc / sums[:, None]
