"""Laps -> milliseconds per frame, each operator's share of the backbone's time, and the goal.

Pure arithmetic: shares are of one lap, medians are over laps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from operators.bench.figure import Figure
from pipeline.bench.lap import BACKBONE, Lap

TIME, CPU, SHARE = "time", "CPU", "share"
MOST_SHARE = 15.0  # % of the backbone's time, of the operators that run by default
PLACES = ("zones", "detect", "track")  # who or what is where
MOST_PLACES_SHARE = 25.0


def lap_figures(laps: Sequence[Lap], frames: int) -> dict[str, list[Figure]]:
    """What the backbone and every operator took.

    Args:
        laps: with the same contenders.
        frames: of the clip.

    Returns:
        Contender -> its figures, the backbone first.
    """
    return {name: _own(laps, name, frames) for name in (BACKBONE, *laps[0].results)}


def together(laps: Sequence[Lap], defaults: Sequence[str], *, held: bool) -> list[Figure]:
    """Operators' sums beside the backbone.

    Args:
        laps: with the same contenders.
        defaults: operators that run where a user names none.
        held: whether the goal is for such a run.
    """
    everybody = tuple(laps[0].results)
    goal, places_goal = (MOST_SHARE, MOST_PLACES_SHARE) if held else (None, None)
    places = [name for name in PLACES if name in everybody]
    return [
        _share(laps, f"default operators ({', '.join(defaults)})", defaults, goal=goal),
        _share(laps, "the same, CPU time", defaults, clock=_cpu),
        _share(laps, f"who is where ({', '.join(places)})", places, goal=places_goal),
        _share(laps, "the same, CPU time", places, clock=_cpu),
        _share(laps, "all operators", everybody),
        _share(laps, "the same, CPU time", everybody, clock=_cpu),
    ]


def _own(laps: Sequence[Lap], name: str, frames: int) -> list[Figure]:
    figures = [
        Figure(TIME, "ms/frame", tuple(lap.wall_s[name] / frames * 1e3 for lap in laps)),
        Figure(CPU, "ms/frame", tuple(lap.cpu_s[name] / frames * 1e3 for lap in laps)),
    ]
    return figures if name == BACKBONE else [*figures, _share(laps, SHARE, (name,))]


def _wall(lap: Lap) -> Mapping[str, float]:
    return lap.wall_s


def _cpu(lap: Lap) -> Mapping[str, float]:
    return lap.cpu_s


def _share(
    laps: Sequence[Lap],
    what: str,
    names: Sequence[str],
    *,
    clock: Callable[[Lap], Mapping[str, float]] = _wall,
    goal: float | None = None,
) -> Figure:
    def percent(seconds: Mapping[str, float]) -> float:
        return sum(seconds[name] for name in names) / seconds[BACKBONE] * 100

    return Figure(what, "%", tuple(percent(clock(lap)) for lap in laps), goal, at_least=False)
