"""What a kernel must show before it is timed: how far it may be from the float32 truth.

In: a result and the truth, or two results. Out: a check as JSON values, `passed` among them.
"""

from typing import Any

import torch
from torch import Tensor

# ||out - truth|| / ||truth||. Rounding the weights and the result once each leaves 2.8e-4 in
# float16 and 2.2e-3 in bfloat16 (simulated in torch, N = 1370); 2.5 times that is allowed.
TOLERANCE = {torch.float16: 7e-4, torch.bfloat16: 5.5e-3, torch.float32: 1e-5}


def relative_error(out: Tensor, truth: Tensor) -> float:
    """||out - truth|| / ||truth||, NaN where either has one."""
    return float((out.float() - truth.float()).norm() / truth.float().norm())


def outcome(check: str, out: Tensor, truth: Tensor) -> dict[str, Any]:
    """Compare a result with the float32 truth.

    Args:
        check: what was done, in words.
        out: the result, in a dtype of `TOLERANCE`.
        truth: float32, of the same shape.
    """
    error = relative_error(out, truth)
    return {
        "check": check,
        "dtype": str(out.dtype),
        "relative_error": error,
        "max_abs_error": float((out.float() - truth).abs().max()),
        "unwritten": int(out.isnan().sum()),
        "passed": error <= TOLERANCE[out.dtype],
    }


def same_bits(check: str, left: Tensor, right: Tensor) -> dict[str, Any]:
    """Compare two results bit by bit."""
    return {"check": check, "dtype": str(left.dtype), "passed": torch.equal(left, right)}
