"""Matrix products that round alike however many threads compute them.

A CPU library may split a long sum between threads, and then the last bits depend on their number
(measured below). Records must not, so heads multiply through here. Must not know what they compute.
"""

from __future__ import annotations

from torch import Tensor, addmm
from torch.nn.functional import pad

# Rows x matrix with sums of 1024-6144 terms differed between 1, 2, 4 and 8 threads in 91 of 168
# shapes (16-1369 rows, 21-256 columns), pieces of 384 in 56, pieces of 256 in none; fewer rows than
# 16 in 16 of 336. Pieces take 1.1 to 1.4 times as long (torch 2.15, MKL, AVX-512, 2026-11-22).
_PIECE = 256
_LEAST_ROWS = 16


def steady_linear(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`rows @ weight.T + bias`.

    Args:
        rows: float32 `[M, K]`.
        weight: float32 `[N, K]`.
        bias: float32 `[N]`.

    Returns:
        float32 `[M, N]`.
    """
    count, terms = rows.shape
    if rows.device.type != "cpu":
        return addmm(bias, rows, weight.T)
    filled = rows if count >= _LEAST_ROWS else pad(rows, (0, 0, 0, _LEAST_ROWS - count))
    result = bias
    for first in range(0, terms, _PIECE):
        last = first + _PIECE
        result = addmm(result, filled[:, first:last], weight[:, first:last].T)
    return result[:count]


def steady_mv(weight: Tensor, vector: Tensor) -> Tensor:
    """`weight @ vector`, float32 `[N, K]` and `[K]` -> `[N]`."""
    return (weight * vector).sum(dim=1)
