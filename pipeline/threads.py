"""How the numeric library's threads wait for one another. Must run before torch is loaded."""

from __future__ import annotations

import os


def let_threads_sleep() -> None:
    """Have waiting threads sleep, here and in the processes that are started from here on.

    Threads of a matrix product that spin while they wait starve the decoders beside them: on two
    busy cores a pass took 4.4 s, and 1.6 s where they sleep (ViT-S, 8 frames, 2026-11-22).
    Whoever has set the variable has had his reasons.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
