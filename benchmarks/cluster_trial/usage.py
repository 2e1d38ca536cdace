"""What the processes of a cluster hold: memory, threads, descriptors, objects."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster_trial.cluster import DRIVER, Cluster
from benchmarks.cluster_trial.figure import Figure

# What is in the command lines of each kind.
KINDS = {
    "engines": "ray::EngineActor",
    "decode actors": "ray::DecodeActor",
    "decoders": "pipeline.decode.child",
    "sinks": "ray::SinkActor",
    "raylets": "raylet/raylet",
    "driver": DRIVER,
}
EVERY_S = 2.0
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """Of some processes together; of them alone, without what they share."""

    memory_bytes: int = 0
    threads: int = 0
    descriptors: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.memory_bytes + other.memory_bytes,
            self.threads + other.threads,
            self.descriptors + other.descriptors,
        )

    def peak(self, other: Usage) -> Usage:
        """The larger of each."""
        return Usage(
            max(self.memory_bytes, other.memory_bytes),
            max(self.threads, other.threads),
            max(self.descriptors, other.descriptors),
        )


@dataclass(frozen=True, slots=True)
class Peaks:
    """The most of a while: kind -> usage, and bytes of Ray's objects on all nodes."""

    kinds: Mapping[str, Usage]
    objects_bytes: int


def peaks(cluster: Cluster, seconds: float) -> Peaks:
    """Look for so many seconds."""
    until_s = time.monotonic() + seconds
    most, objects_bytes = dict.fromkeys(KINDS, Usage()), 0
    while time.monotonic() < until_s:
        most = {kind: one.peak(_now(cluster, KINDS[kind])) for kind, one in most.items()}
        held = sum(machine.shared_memory_bytes for machine in cluster.machines.values())
        objects_bytes = max(objects_bytes, held)
        time.sleep(EVERY_S)
    return Peaks(most, objects_bytes)


def growth(before: Peaks, after: Peaks, memory_goal_mib: float) -> Iterator[Figure]:
    """What has become more of from one while to another; of threads and descriptors nothing may."""
    pairs = {kind: (old, after.kinds[kind]) for kind, old in before.kinds.items()}
    for kind, (old, new) in pairs.items():
        held = (old.memory_bytes, new.memory_bytes)
        yield _memory(f"memory of {kind}: growth", *held, memory_goal_mib)
    held = (before.objects_bytes, after.objects_bytes)
    yield _memory("object stores: growth", *held, memory_goal_mib)
    yield _more("threads", {kind: (old.threads, new.threads) for kind, (old, new) in pairs.items()})
    counts = {kind: (old.descriptors, new.descriptors) for kind, (old, new) in pairs.items()}
    yield _more("descriptors", counts)


def _memory(what: str, before_bytes: int, after_bytes: int, goal_mib: float) -> Figure:
    told = f"{before_bytes / MIB:.1f} -> {after_bytes / MIB:.1f} MiB"
    return Figure(what, (after_bytes - before_bytes) / MIB, "MiB", goal_mib, told)


def _more(what: str, counts: Mapping[str, tuple[int, int]]) -> Figure:
    told = ", ".join(f"{kind} {old} -> {new}" for kind, (old, new) in counts.items() if old != new)
    more = sum(max(0, new - old) for old, new in counts.values())
    return Figure(f"{what}: more of them", more, "", 0, told or "the same")


def _now(cluster: Cluster, title: str) -> Usage:
    found = [pid for one in cluster.machines.values() for pid in one.processes(title)]
    return sum(map(_of, found), Usage())


def _of(pid: int) -> Usage:
    """Of one process; nothing of one that is gone."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        facts = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        if "RssAnon" in facts:  # else it is a zombie
            open_files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            return Usage(int(facts["RssAnon"][0]) << 10, int(facts["Threads"][0]), open_files)
    return Usage()
