"""Rounds of cells -> what a frame costs, where, and how that grows with the streams. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from operators.bench.figure import Figure
from pipeline.bench.figures import MIB
from pipeline.bench.roles import ROLES
from pipeline.bench.scale_cell import Taken
from pipeline.bench.workload import Runtime

Round = Mapping[tuple[Runtime, int], Taken]

JOB = tuple(role for role in ROLES if role != "cameras")  # what a job consists of
FEW = 10  # streams that others are held to, or the next more that there are
MOST_GROWTH = 1.3
MOST_DROPPED = 0.01  # of a cell's frames; one that drops more did other work than the rest


def cost_ms(taken: Taken, roles: Sequence[str] = JOB) -> float:
    """CPU time of these processes per frame, milliseconds."""
    return sum(taken.cpu_s.get(role, 0.0) for role in roles) / taken.frames * 1e3


def held_bytes(taken: Taken) -> int:
    """Memory of the job's processes that they share with nobody."""
    return sum(taken.memory_bytes.get(role, 0) for role in JOB)


def kept_up(taken: Taken) -> bool:
    """It was not too much for this machine in this hour."""
    return taken.dropped <= MOST_DROPPED * (taken.frames + taken.dropped)


def cell_figures(rounds: Sequence[Round], runtime: Runtime, streams: int) -> list[Figure]:
    """What one cell took, by itself."""
    all_taken = [one[runtime, streams] for one in rounds]

    def figure(name: str, unit: str, value: Callable[[Taken], float]) -> Figure:
        return Figure(name, unit, tuple(map(value, all_taken)))

    roles = [role for role in JOB if any(role in taken.cpu_s for taken in all_taken)]
    return [
        figure("rate", "frames/s", lambda taken: taken.frames / taken.seconds),
        figure("dropped", "frames", lambda taken: taken.dropped),
        figure("batch", "frames", lambda taken: taken.frames / taken.batches),
        figure("latency", "s", lambda taken: taken.latency_s or 0.0),
        figure("memory", "MiB", lambda taken: held_bytes(taken) / MIB),
        figure("object store", "MiB", lambda taken: taken.store_bytes / MIB),
        figure("CPU", "ms/frame", cost_ms),
        *(
            figure(f"CPU of {role}", "ms/frame", lambda taken, role=role: cost_ms(taken, [role]))  # type: ignore[misc]
            for role in roles
        ),
    ]


def scale_figures(rounds: Sequence[Round], fps: float) -> list[Figure]:
    """How cost grows from few streams to the most, in each runtime, of rounds in which both kept
    up.

    Args:
        rounds: with the same cells.
        fps: frames per second of all streams together.
    """
    figures: list[Figure] = []
    for runtime in dict.fromkeys(runtime for runtime, _ in rounds[0]):
        counts = sorted(streams for of, streams in rounds[0] if of == runtime)
        few = next((count for count in counts if count >= FEW), counts[-1])
        if few < counts[-1]:
            figures += _growth(rounds, runtime, few, counts[-1], fps)
    return figures


def _growth(
    rounds: Sequence[Round], runtime: Runtime, few: int, most: int, fps: float
) -> list[Figure]:
    both = [(one[runtime, few], one[runtime, most]) for one in rounds]
    pairs = [pair for pair in both if all(map(kept_up, pair))]
    if not pairs:
        return []
    more = most - few
    growth = [cost_ms(large) / cost_ms(small) for small, large in pairs]
    stream_ms = [(cost_ms(large) - cost_ms(small)) * fps / more for small, large in pairs]
    stream_kib = [(held_bytes(large) - held_bytes(small)) / more / 1024 for small, large in pairs]
    name = f"{runtime}: CPU per frame, {most} streams beside {few}"
    return [
        Figure(name, "x", tuple(growth), MOST_GROWTH, at_least=False),
        Figure(f"{runtime}: CPU of a stream more, frames apart", "ms/s", tuple(stream_ms)),
        Figure(f"{runtime}: memory of a stream more", "KiB", tuple(stream_kib)),
    ]
