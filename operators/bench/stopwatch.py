"""How long a call takes, on a CPU or on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from kernels.bench.timing import elapsed_us


def seconds_of(run: Callable[[], object], device: torch.device) -> float:
    """Seconds until the result is there: by CUDA events on a GPU, by the clock on a CPU.

    Args:
        run: what to time.
        device: where its work happens.
    """
    if device.type != "cuda":
        began = time.perf_counter()
        run()
        return time.perf_counter() - began
    torch.cuda.synchronize(device)
    return elapsed_us(run) / 1e6
