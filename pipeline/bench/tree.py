"""What a process and everything it started use, watched from outside: /proc in -> samples out.

Knows nothing of benchmarks. Linux; elsewhere it sees nothing.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


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
class _Process:
    started: int  # tells a process from a later one with its number
    parent: int
    ticks: int
    pages: int


class ProcessTree:
    """One root and its descendants, those too whose parents have died since."""

    def __init__(self, root: int, *, look_every: int = 1, proc: Path = Path("/proc")) -> None:
        """
        Args:
            root: its process id.
            look_every: samples from one look at all processes of the machine to the next; what is
                born in between is seen late, and looking costs what is being measured.
            proc: Linux's process file system.
        """
        self._proc = proc
        self._look_every = look_every
        self._known = {root}
        self._ticks: dict[tuple[int, int], int] = {}
        self.samples: list[Sample] = []

    def sample(self, time_us: int) -> None:
        """Look at all of them now."""
        look = len(self.samples) % self._look_every == 0
        seen = self._read_all(os.listdir(self._proc) if look else map(str, self._known))
        self._known = _descendants(self._known & seen.keys(), seen)
        for pid in self._known:
            self._ticks[pid, seen[pid].started] = seen[pid].ticks
        self.samples.append(
            Sample(
                time_us,
                sum(self._ticks.values()) / TICKS_PER_S,
                sum(seen[pid].pages for pid in self._known) * PAGE_BYTES,
            )
        )

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

    def _read_all(self, names: Iterable[str]) -> dict[int, _Process]:
        found = {}
        for name in names:
            if name.isdigit() and (process := self._read(name)) is not None:
                found[int(name)] = process
        return found

    def _read(self, name: str) -> _Process | None:
        try:
            text = (self._proc / name / "stat").read_text()
        except OSError:  # gone meanwhile
            return None
        fields = text.rpartition(")")[2].split()  # proc(5): state is the third field of the file
        return _Process(
            started=int(fields[19]),
            parent=int(fields[1]),
            ticks=int(fields[11]) + int(fields[12]),
            pages=int(fields[21]),
        )


def _descendants(roots: set[int], seen: dict[int, _Process]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, process in seen.items():
        children.setdefault(process.parent, []).append(pid)
    found, left = set(roots), list(roots)
    while left:
        new = [pid for pid in children.get(left.pop(), ()) if pid not in found]
        found.update(new)
        left += new
    return found
