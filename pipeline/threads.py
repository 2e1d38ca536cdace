"""How the numeric library's threads wait for one another. Must run before torch is loaded."""

from __future__ import annotations

import os

SPINS = "10000"  # libgomp's default is 300,000 where it thinks it has the cores to itself


def let_threads_sleep() -> None:
    """Have threads that wait go to sleep soon, here and in processes started from here on.

    Threads of a matrix product that spin for long starve the decoders beside them, and threads that
    sleep at once wake up late. ViT-S, 8 frames, 2 cores, medians: with a busy neighbour 1278 ms by
    default, 922 with this, 864 asleep at once; alone 479, 481 and 564 (2026-11-22).
    Whoever has set the variable has had his reasons.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
