"""What a timed kernel has to reach, and whether it did.

In: the median times of a race. Out: figures as JSON values: a ratio or a rate, its goal, met or
not. Must not time anything.
"""

from collections.abc import Mapping
from typing import Any

OURS = "triton"
FLASH, CUDNN = "sdpa", "sdpa_cudnn"

# By N, in bfloat16, with the fused projection's layout included; at N = 1370 all products count.
PEER_GOALS: dict[int, dict[str, float]] = {
    257: {FLASH: 1.5, CUDNN: 1.3},
    261: {FLASH: 1.5, CUDNN: 1.3},
    1370: {FLASH: 1.25, CUDNN: 1.0},
}
# Forward and backward together, in bfloat16.
TRAINING_GOALS: dict[int, dict[str, float]] = {257: {FLASH: 1.0}}
TFLOP_PER_S_GOALS = {1370: 380.0}
# A kernel that is not faster than the torch it replaces is not worth its lines.
FUSED_GOALS = {"eager": 1.0, "compiled": 1.0}


def ratios(
    medians_us: Mapping[str, float], absent: Mapping[str, str], goals: Mapping[str, float]
) -> list[dict[str, Any]]:
    """How many times faster ours is than everybody else.

    Args:
        medians_us: microseconds of a call by contender, ours among them if it ran.
        absent: those that did not run, and why.
        goals: ratios to reach, by contender.

    Returns:
        A figure per peer that ran, and one without a ratio per goal that has no peer.
    """
    ours = medians_us.get(OURS)
    figures = [
        figure(name, None if ours is None else theirs / ours, goals.get(name))
        for name, theirs in medians_us.items()
        if name != OURS
    ]
    missing = [name for name in goals if name not in medians_us]
    return [*figures, *(figure(name, None, goals[name], absent.get(name)) for name in missing)]


def figure(
    beside: str | None, value: float | None, goal: float | None, why: str | None = None
) -> dict[str, Any]:
    """One figure with its goal.

    Args:
        beside: the peer; None where the value stands for itself.
        value: None where there is none.
        goal: at least this; None without one.
        why: there is no value.
    """
    met = None if value is None or goal is None else value >= goal
    said = {"beside": beside, "value": value, "goal": goal, "met": met}
    return said if why is None else said | {"why": why}
