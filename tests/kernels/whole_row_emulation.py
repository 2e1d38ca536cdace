"""One program of the whole-row kernel in torch, line for line, on a shared memory that is slow."""

import math

import torch
from torch import Tensor

from tests.kernels.slow_memory import HEAD_DIM, Waits, highest, power, rows_of, without_missing_keys


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    constants: dict[str, int],
    *,
    late: bool,
    values_waited_for: bool = True,
) -> Tensor:
    """Attention of BM queries over BN to BN + TAIL keys, all `[.., D]` float32.

    Args:
        q, k, v: of one head.
        constants: of the kernel.
        late: whether copies and products land only when they are waited for.
        values_waited_for: whether the second wait for copies is there.
    """
    block, tail = constants["BN"], constants["TAIL"]
    copies, products = Waits(late), Waits(late)
    s_k, s_v = (torch.full((block + tail, HEAD_DIM), math.nan) for _ in range(2))
    b_s = torch.full((len(q), block + tail), math.nan)
    b_acc = torch.zeros(len(q), HEAD_DIM)

    copies.commit(
        lambda: s_k[:block].copy_(rows_of(k, 0, block)),
        lambda: s_k[block:].copy_(rows_of(k, block, tail)),
    )
    copies.commit(
        lambda: s_v[:block].copy_(rows_of(v, 0, block)),
        lambda: s_v[block:].copy_(rows_of(v, block, tail)),
    )
    copies.wait(1)
    products.commit(lambda: b_s[:, :block].copy_(q @ s_k[:block].T))
    if tail > 0:
        products.commit(lambda: b_s[:, block:].copy_(q @ s_k[block:].T))
    products.wait(0)
    m = highest(b_s[:, :block])
    if tail > 0:
        b_t = without_missing_keys(b_s[:, block:], block, len(k))
        m = torch.maximum(m, highest(b_t))
        b_pt = power(b_t, m)
    b_p = power(b_s[:, :block], m)
    sums = b_p.sum(1)
    if tail > 0:
        sums = sums + b_pt.sum(1)
    if values_waited_for:
        copies.wait(0)
    products.commit(lambda: b_acc.add_(b_p @ s_v[:block]))
    if tail > 0:
        products.commit(lambda: b_acc.add_(b_pt @ s_v[block:]))
    products.wait(0)
    return b_acc / sums[:, None]
