"""Times functions beside each other on a CUDA device: graphs replayed in turn, round by round.

In: functions of one input each, and inputs enough that none waits in the L2 cache. Out:
microseconds per call, every round kept. Must not know what is computed, nor change the card's
settings.
"""

import math
import statistics
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch

from .origin import clocks

ROTATION_BYTES = 256 * 2**20
"""Enough different inputs that no round finds its own in the L2 cache (60 MB on an H200)."""

WATCHED_US = 2e5
"""How long the card is kept busy while its clocks are read."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Race(Generic[K]):
    """What came of it.

    Attributes:
        times_us: microseconds of one call in every round, by contender.
        absent: who could not run, and why.
        clocks: of the card, while the first contender ran.
    """

    times_us: dict[K, list[float]]
    absent: dict[K, str]
    clocks: dict[str, str] | None


def race(
    functions: Mapping[K, Callable[[Any], object]], inputs: Sequence[Any], rounds: int
) -> Race[K]:
    """Time functions on the same inputs in interleaved rounds.

    Args:
        functions: by name; each is called once per input and round.
        inputs: see `rotation`.
        rounds: 2 and more.

    Returns:
        All times. One that raises is absent, in whatever way it does.

    Raises:
        ValueError: fewer than two rounds, which have no spread.
    """
    if rounds < 2:
        raise ValueError(f"rounds is {rounds}; allowed: 2 and more")
    graphs: dict[K, torch.cuda.CUDAGraph] = {}
    absent: dict[K, str] = {}
    for name, run in functions.items():
        try:
            graph = capture(run, inputs)
            replay_us(graph)
        except Exception as error:
            absent[name] = first_line(error)
        else:
            graphs[name] = graph
    times: dict[K, list[float]] = {name: [] for name in graphs}
    for _ in range(rounds):
        for name, graph in graphs.items():
            times[name].append(replay_us(graph) / len(inputs))
    return Race(times, absent, _clocks_under(next(iter(graphs.values()), None)))


def rotation(n_bytes: int) -> int:
    """How many inputs of so many bytes to take turns with.

    Args:
        n_bytes: that one call reads and writes.

    Returns:
        4 to 64.
    """
    return min(64, max(4, math.ceil(ROTATION_BYTES / n_bytes)))


def spread(samples: Sequence[float]) -> dict[str, float]:
    """Median and the outer tenths of some times.

    Args:
        samples: two and more.
    """
    tenths = statistics.quantiles(samples, n=10)
    return {"median": statistics.median(samples), "p10": tenths[0], "p90": tenths[-1]}


def capture(run: Callable[[Any], object], inputs: Sequence[Any]) -> torch.cuda.CUDAGraph:
    """Record one call per input, so that replaying measures the device and not Python."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run(inputs[0])
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for one in inputs:
            run(one)
    return graph


def replay_us(graph: torch.cuda.CUDAGraph) -> float:
    """Microseconds of one replay."""
    return elapsed_us(graph.replay)


def elapsed_us(run: Callable[[], object]) -> float:
    """Microseconds until a call's work on the device is done, by CUDA events."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    run()
    end.record()
    end.synchronize()
    return 1000 * float(start.elapsed_time(end))


def first_line(error: BaseException) -> str:
    """Kind and first line of an exception."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def _clocks_under(graph: torch.cuda.CUDAGraph | None) -> dict[str, str] | None:
    if graph is None:
        return None
    for _ in range(math.ceil(WATCHED_US / replay_us(graph))):
        graph.replay()
    said = clocks()
    torch.cuda.synchronize()
    return said
