"""Frames side by side on a CPU: every frame is computed by one thread, alone, start to end.

Threads that share every matrix product must meet after each one, so the slowest sets the pace and
whatever else runs on the machine holds up all. Threads with a frame each meet once per batch, and
neither their number nor a frame's batch mates can change a bit of its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar, cast

import torch

T = TypeVar("T")


class ThreadPool:
    """Some threads, each on one core."""

    def __init__(self, threads: int) -> None:
        """
        Args:
            threads: frames that are worked on at a time.
        """
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "frame", initializer=stay_on_one_core)

    def map(self, work: Callable[[int], T], rows: Iterable[int]) -> list[T]:
        """`work(row)` for every row, in their order; nothing is at work any more when it returns.

        Raises:
            Exception: what the first row that failed raised.
        """
        ahead = list(enumerate(rows))
        pending = iter(ahead)  # shared: its next is one step under Python's lock
        results: list[T | None] = [None] * len(ahead)
        failures: dict[int, Exception] = {}

        def walk() -> None:
            for at, row in pending:
                try:
                    results[at] = work(row)
                except Exception as error:  # the caller's to handle, when all are done
                    failures[at] = error

        # One hand-over per thread, not per row: each costs as much as a small operator's work.
        walks = [self._pool.submit(walk) for _ in range(min(self._threads, len(ahead)))]
        wait(walks)
        for one in walks:
            one.result()
        if failures:
            raise failures[min(failures)]
        return cast("list[T]", results)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def stay_on_one_core() -> None:
    """Have torch compute on the calling thread alone, so that no sum is split between threads."""
    if torch.get_num_threads() != 1:  # a setting of each thread's own
        torch.set_num_threads(1)
