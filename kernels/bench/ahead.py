"""Has several processes do at once what one would do in turn, only to fill triton's cache.

In: a function and its arguments, both fit for another process. Out: how many ended well. Whoever
calls does the same again and finds everything compiled. Must not be relied on.
"""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

MOST_PROCESSES = 8
"""Each has a CUDA context of half a gigabyte."""

T = TypeVar("T")


def run_ahead(run: Callable[[T], object], cases: Sequence[T]) -> int:
    """Run every case in some process, and forget what comes of it.

    Args:
        run: a function that a module defines.
        cases: its arguments.

    Returns:
        How many did not raise; 0 where the processes die.
    """
    n_processes = min(MOST_PROCESSES, len(os.sched_getaffinity(0)), len(cases))
    if n_processes < 2:
        return 0
    # A forked process cannot use CUDA.
    spawn = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(n_processes, mp_context=spawn) as pool:
            return sum(pool.map(partial(_ends_well, run), cases))
    except BrokenProcessPool:
        return 0


def _ends_well(run: Callable[[T], object], case: T) -> bool:
    try:
        run(case)
    except Exception:
        return False
    return True
