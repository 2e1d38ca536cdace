"""The smallest kernel there is: it runs where Triton runs.

In: a vector on a CUDA device. Out: the same, one more in every place.
Imports triton at its top, so it is itself imported late. Must not know who asks.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor


@triton.jit
def count_up_kernel(x, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """One program: the whole vector."""
    p_x = x + tl.arange(0, BLOCK)
    tl.store(p_x, tl.load(p_x) + 1)


def count_up(x: Tensor) -> None:
    """Add 1 to every element in place.

    Args:
        x: contiguous float32 `[n]`, n a power of two.
    """
    with torch.cuda.device_of(x):
        count_up_kernel[(1,)](x, BLOCK=len(x))
