"""When who is killed: every part so many times, at random points of a job, the same for a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

FRAMES_PER_KILL = 120  # of the footage: what a job has to do until the next one
# Behind the last kill: decoders are ahead of what is committed, and commits of who looks at them.
TAIL_FRAMES = 1800
MOST_DELAY_S = 0.3


@dataclass(frozen=True, slots=True)
class Kill:
    """
    Attributes:
        victim: a part of the job.
        frames: so many at least are committed by then.
        delay_s: from the moment that this is seen, so that it falls anywhere between two commits.
    """

    victim: str
    frames: int
    delay_s: float


def plan(victims: Sequence[str], times: int, frames: int, seed: int) -> list[Kill]:
    """
    Args:
        victims: each is killed `times` times.
        times: how often.
        frames: that the job has, `TAIL_FRAMES` with them.
        seed: of the order, the points and the delays.
    """
    draw = random.Random(seed)
    order = [victim for victim in victims for _ in range(times)]
    draw.shuffle(order)
    points = sorted(draw.randrange(1, frames - TAIL_FRAMES) for _ in order)
    return [
        Kill(victim, point, draw.uniform(0, MOST_DELAY_S))
        for victim, point in zip(order, points, strict=True)
    ]
