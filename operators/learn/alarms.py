"""How often a threshold is passed where nothing is wrong: times and scores in -> alarms per hour.

Frames in a row that are over are one alarm. The interval takes alarms to come by chance, one as
likely as the next (Poisson; exact, Garwood 1936).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from operators.learn.estimate import CONFIDENCE, Estimate

QUIET_S = 10.0  # after so much time without a frame that is over, the next one is another alarm

_HALVINGS = 200


def alarm_count(
    times_s: NDArray[np.float64], over: NDArray[np.bool_], *, quiet_s: float = QUIET_S
) -> int:
    """Alarms of one recording.

    Args:
        times_s: of its frames `[n]`, in order.
        over: which of them are over the threshold `[n]`.
        quiet_s: that end an alarm.
    """
    passed = times_s[over]
    return int(passed.size > 0) + int((np.diff(passed) > quiet_s).sum())


def hourly_rate(alarms: int, hours: float) -> Estimate:
    """Alarms per hour with their interval.

    Args:
        alarms: that were counted.
        hours: in which.

    Raises:
        ValueError: no time.
    """
    if not hours > 0:
        raise ValueError(f"a rate wants more than 0 hours, got {hours}")
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if alarms == 0 else _mean_at(alarms - 1, 1 - tail)
    return Estimate(alarms / hours, low / hours, _mean_at(alarms, tail) / hours)


def _mean_at(most: int, probability: float) -> float:
    """The mean of a Poisson variable that is at most `most` with that probability."""
    low, high = 0.0, most + 10 * math.sqrt(most + 1) + 10
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _at_most(most, middle) > probability else (low, middle)
    return (low + high) / 2


def _at_most(most: int, mean: float) -> float:
    """Probability that a Poisson variable of that mean is at most so much."""
    shape = torch.tensor(most + 1, dtype=torch.float64)
    return float(torch.special.gammaincc(shape, torch.tensor(mean, dtype=torch.float64)))
