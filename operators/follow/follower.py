"""What is followed through a film: a seed and frames in their order in -> probabilities out.

Remembers the seed's frame and the last few. Knows no clicks, no pictures and no time.
"""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from operators.backbones.thread_pool import ThreadPool, stay_on_one_core
from operators.follow.propagation import directions, propagate
from operators.follow.rules import Rules


class Follower:
    """Follows what is marked in one frame through those after it, or before it."""

    def __init__(
        self, patches: Tensor, seed: Tensor, rules: Rules | None = None, *, threads: int = 1
    ) -> None:
        """
        Args:
            patches: of the marked frame, after the final norm, `[h, w, D]`.
            seed: probabilities there, float32 `[h, w, C]`, the background first.
            rules: how; the usual ones where None.
            threads: that a CPU works with; no result depends on it.
        """
        self._rules = rules or Rules()
        self._first = directions(patches), seed
        self._last: deque[tuple[Tensor, Tensor]] = deque(maxlen=self._rules.last)
        self._pool = ThreadPool(threads) if threads > 1 else None

    def step(self, patches: Tensor) -> Tensor:
        """Probabilities in the next frame, float32 `[h, w, C]`.

        Args:
            patches: `[h, w, D]`.

        Raises:
            ValueError: another grid than the first frame's.
        """
        stay_on_one_core()
        seen = directions(patches)
        known = [self._first, *self._last]
        told = propagate(
            seen,
            torch.stack([one for one, _ in known]),
            torch.stack([labels for _, labels in known]),
            self._rules,
            pool=self._pool,
        )
        self._last.append((seen, told))
        return told

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.close()
