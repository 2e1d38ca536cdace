"""Rounds of trials -> the figures that count, and whether each reaches its goal.

Pure arithmetic: medians of rounds, and ratios of contenders that ran in the same round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from operators.bench.figure import Figure
from pipeline.bench.trial import Trial

MIB = 1 << 20
Round = Mapping[str, Trial]


def contender_figures(rounds: Sequence[Round], contender: str) -> list[Figure]:
    """What one contender took, by itself."""
    trials = [one[contender] for one in rounds]
    figures = [
        _over(trials, "time", "s", lambda one: one.seconds),
        _over(trials, "rate", "frames/s", lambda one: one.frames / one.seconds),
        _over(trials, "CPU", "ms/frame", lambda one: one.cpu_s / one.frames * 1e3),
        _over(trials, "peak memory", "MiB", lambda one: one.peak_bytes / MIB),
    ]
    if all(one.start_s is not None for one in trials):
        figures.append(_over(trials, "start to first record", "s", lambda one: one.start_s or 0.0))
    if all(one.batches for one in trials):
        figures.append(_over(trials, "batches", "", lambda one: one.batches or 0))
    if all(one.decoder_bytes for one in trials):
        figures.append(
            _over(trials, "decode process", "MiB", lambda one: (one.decoder_bytes or 0) / MIB)
        )
    return figures


def job_figures(rounds: Sequence[Round]) -> list[Figure]:
    """Each of our runtimes beside the plain loop and beside the ideal."""
    figures = []
    for runtime, goals in _GOALS.items():
        if all(runtime in one for one in rounds):
            figures += _runtime_figures(rounds, runtime, goals)
    return figures


@dataclass(frozen=True, slots=True)
class _Goals:
    of_plain: float
    of_ideal: float
    outside_ms: float
    start_s: float


_GOALS = {
    "inline": _Goals(of_plain=1.0, of_ideal=0.95, outside_ms=40.0, start_s=5.0),
    "ray": _Goals(of_plain=1.0, of_ideal=0.88, outside_ms=60.0, start_s=15.0),
}


def _runtime_figures(rounds: Sequence[Round], runtime: str, goals: _Goals) -> list[Figure]:
    def figure(
        what: str, unit: str, value: Callable[[Round], float], goal: float, at_least: bool
    ) -> Figure:
        values = tuple(value(one) for one in rounds)
        return Figure(f"{runtime}: {what}", unit, values, goal, at_least)

    return [
        figure(
            "speed of the plain loop's",
            "x",
            lambda one: one["plain"].seconds / one[runtime].seconds,
            goals.of_plain,
            True,
        ),
        figure(
            "speed of the ideal's",
            "x",
            lambda one: ideal_s(one) / one[runtime].seconds,
            goals.of_ideal,
            True,
        ),
        figure(
            "CPU outside backbone and heads",
            "ms/frame",
            lambda one: outside_ms(one, runtime),
            goals.outside_ms,
            False,
        ),
        figure(
            "start to first record",
            "s",
            lambda one: one[runtime].start_s or 0.0,
            goals.start_s,
            False,
        ),
    ]


def ideal_s(one: Round) -> float:
    """Decoding alone, then backbone and heads alone."""
    return one["decode"].seconds + one["engine"].seconds


def outside_ms(one: Round, contender: str) -> float:
    """CPU time per frame that is neither backbone nor heads, milliseconds."""
    trial = one[contender]
    return (trial.cpu_s - one["engine"].cpu_s) / trial.frames * 1e3


def _over(trials: Sequence[Trial], name: str, unit: str, value: Callable[[Trial], float]) -> Figure:
    return Figure(name, unit, tuple(value(one) for one in trials))
