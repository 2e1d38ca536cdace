"""Seconds of rounds -> figures: how many times as fast, and how much of what the machine can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from operators.bench.arithmetic import frame_flop
from operators.bench.contestant import Contestant
from operators.bench.figure import Figure
from operators.bench.goals import least_ratios, least_share
from operators.bench.task import Task

Seconds = Mapping[str, Sequence[float]]


def ratio_figures(task: Task, seconds: Seconds) -> list[Figure]:
    """Each of ours beside each peer, round by round.

    Args:
        task: whose.
        seconds: contestant -> one per round.
    """
    goals = least_ratios(task)
    ours = [name for name in seconds if name.startswith("ours")]
    pairs = [(own, peer) for own in ours for peer in seconds if peer not in ours]
    return [
        Figure(
            f"{task.name}: {own}; beside {peer}",
            "x",
            tuple(peers / mine for peers, mine in zip(seconds[peer], seconds[own], strict=True)),
            goals.get((own, peer)),
        )
        for own, peer in pairs
    ]


def share_figures(
    task: Task,
    seconds: Seconds,
    contestants: Sequence[Contestant],
    flop_per_s: Mapping[str, float],
) -> list[Figure]:
    """Everybody's floating-point operations per second as a share of large matrix products'.

    Args:
        task: whose.
        seconds: contestant -> one per round.
        contestants: who took them.
        flop_per_s: dtype -> of one large product, measured in the same run.
    """
    goals = least_share(task)
    flop = frame_flop(task.arch, task.side) * task.batch
    return [
        Figure(
            f"{task.name}: {one.name}",
            "of the matrix rate",
            tuple(flop / took / flop_per_s[str(one.dtype)] for took in seconds[one.name]),
            goals.get(one.name),
        )
        for one in contestants
    ]
