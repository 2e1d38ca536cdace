"""Where along an axis there are frames, and where there are none. Pure.

Numbers and times of frames -> stretches. One that takes no longer than so many frames do as a rule
is not looked into, so a million frames without a gap cost some dozens of looks.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

GAP_INTERVALS = 3  # a pause so many usual intervals long is a gap
SHORTEST_GAP_US = 1_000_000
SAMPLES = 64
MOST_LOOKS = 4000  # where the axis is all gaps, what is left is taken for one stretch each

Span = tuple[int, int]


def usual_interval_us(time_us: Callable[[int], int], first: int, last: int) -> int:
    """The median time from one frame to the next, of some that lie evenly; 0 for a single one."""
    step = max(1, (last - first) // SAMPLES)
    numbers = range(first, last, step)
    return round(median([time_us(one + 1) - time_us(one) for one in numbers])) if numbers else 0


def covered(
    time_us: Callable[[int], int], first: int, last: int, *, interval_us: int, least_us: int = 0
) -> list[Span]:
    """Stretches that have frames, in order; what lies between two of them is a gap.

    Args:
        time_us: event time of a frame by its number, never going back.
        first, last: numbers, inclusive.
        interval_us: the usual time from one frame to the next.
        least_us: shorter gaps are not looked for, as nobody could see them.
    """
    longest_us = max(GAP_INTERVALS * interval_us, SHORTEST_GAP_US, least_us)
    breaks: list[int] = []  # frames behind which there is a gap
    waiting, looks = [(first, last)], 0
    while waiting:
        low, high = waiting.pop()
        span_us = time_us(high) - time_us(low)
        looks += 1
        if high - low == 1:
            breaks += [low] if span_us > longest_us else []
        elif span_us > (high - low - 1) * interval_us + longest_us and looks < MOST_LOOKS:
            middle = (low + high) // 2
            waiting += [(middle, high), (low, middle)]
    return _stretches(time_us, first, last, sorted(breaks))


def _stretches(
    time_us: Callable[[int], int], first: int, last: int, breaks: list[int]
) -> list[Span]:
    begins = [first, *(one + 1 for one in breaks)]
    ends = [*breaks, last]
    return [(time_us(low), time_us(high)) for low, high in zip(begins, ends, strict=True)]
