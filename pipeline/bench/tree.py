"""What a process and everything it started use, watched from outside: processes in -> samples out.

Knows nothing of benchmarks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from operators.errors import UsageError

try:
    import psutil
except ImportError:
    raise UsageError(
        "what this benchmark runs is watched with psutil, which is not installed here; "
        "pip install psutil (in a checkout: pip install '.[bench]')"
    ) from None


@dataclass(frozen=True, slots=True)
class Sample:
    """Attributes:
    time_us: when, microseconds since the epoch.
    cpu_s: CPU time of all processes so far, dead ones too, seconds.
    memory_bytes: resident memory of all; what two share counts twice.
    """

    time_us: int
    cpu_s: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """One process, now.

    Attributes:
        command: its command line; Ray's workers put what they are there.
        cpu_s: CPU time so far, seconds.
        own_bytes: resident memory that no other process shares.
        shared_bytes: resident memory that others may map, such as an object store's.
    """

    command: str
    cpu_s: float
    own_bytes: int
    shared_bytes: int


def usages(root: int) -> dict[int, Usage]:
    """A process and all that descend from it, by process id; those that end meanwhile are left
    out."""
    found = {}
    for process in {psutil.Process(root), *_descendants([psutil.Process(root)])}:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess), process.oneshot():
            cpu, memory = process.cpu_times(), process.memory_full_info()
            command = " ".join(process.cmdline())
            found[process.pid] = Usage(command, cpu.user + cpu.system, memory.uss, memory.shared)
    return found


class ProcessTree:
    """One root and its descendants, those too whose parents have died since."""

    def __init__(self, root: int, *, look_every: int = 1) -> None:
        """
        Args:
            root: its process id.
            look_every: samples from one look at all processes of the machine to the next; what is
                born in between is seen late, and looking costs what is being measured.
        """
        self._look_every = look_every
        self._living = {psutil.Process(root)}
        self._cpu_s: dict[psutil.Process, float] = {}
        self.samples: list[Sample] = []

    def sample(self, time_us: int) -> None:
        """Look at all of them now."""
        if len(self.samples) % self._look_every == 0:
            self._living |= _descendants(self._living)
        memory_bytes = 0
        for process in list(self._living):
            try:
                with process.oneshot():
                    cpu, memory = process.cpu_times(), process.memory_info()
            except psutil.NoSuchProcess:
                self._living.remove(process)
                continue
            self._cpu_s[process] = cpu.user + cpu.system
            memory_bytes += memory.rss
        self.samples.append(Sample(time_us, sum(self._cpu_s.values()), memory_bytes))

    @property
    def peak_bytes(self) -> int:
        """The most memory that any sample saw."""
        return max((one.memory_bytes for one in self.samples), default=0)

    def cpu_s(self, began_us: int, ended_us: int) -> float:
        """CPU time between two moments, in a straight line between samples, seconds."""
        return self._cpu_at(ended_us) - self._cpu_at(began_us)

    def _cpu_at(self, time_us: int) -> float:
        after = bisect_left(self.samples, time_us, key=lambda one: one.time_us)
        if after in (0, len(self.samples)):
            return self.samples[min(after, len(self.samples) - 1)].cpu_s
        low, high = self.samples[after - 1], self.samples[after]
        part = (time_us - low.time_us) / (high.time_us - low.time_us)
        return low.cpu_s + part * (high.cpu_s - low.cpu_s)


def _descendants(roots: Iterable[psutil.Process]) -> set[psutil.Process]:
    children: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            children.setdefault(process.ppid(), []).append(process)
    found: set[psutil.Process] = set()
    left = list(roots)
    while left:
        new = children.get(left.pop().pid, [])
        found.update(new)
        left += new
    return found
