"""A live stream's decode processes: one per connection, again and again until it is stopped.

A connection that is over is told at once, and the next is begun, however much of the old one waits
for the engine: its process hands all of it over and ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from pipeline.decode.backoff import Backoff
from pipeline.decode.process import DecodeProcess
from pipeline.decode.slate import Note
from pipeline.decode.supervisor import Clock, Launch, Supervisor
from pipeline.stream.chunk import TROUBLES, Chunk, Counts, End, Entry, Fault, Frames, Gap, Trouble
from pipeline.stream.spec import StreamSpec

REASONS = 8  # that are told of one outage; a camera may find a new one at every try


class LiveSupervisor(Supervisor):
    """Reconnects as a new session; says why a connection is lost, each reason once per outage."""

    def __init__(
        self, spec: StreamSpec, clock: Clock, rng: Random, *, launch: Launch = DecodeProcess
    ) -> None:
        super().__init__(spec, clock, launch=launch)
        self._backoff = Backoff(rng)
        self._retry_s: float | None = None
        self._seen = False  # frames, in any connection
        self._reasons: set[str] = set()  # told of the present outage
        self._away = False  # since the last frames
        self._over = False  # the process has said that its connection is lost
        self._last = ("", "")  # session and position of the last frame
        self._before = Counts()  # of the connections before this one
        self._told = Counts()  # by this one's process
        self._handed = 0  # sampled frames that have come of it, or that it has dropped
        self._start(spec)

    @property
    def counts(self) -> Counts:
        """Frames of all connections, as far as their processes have told."""
        return self._before + self._told

    def wake_s(self) -> float | None:
        """When to kill the process, or when to start the next."""
        if self._process:
            return self._alive_s + self._silence_s
        return None if self._held_up else self._retry_s

    @property
    def _held_up(self) -> bool:
        """A stream that drops nothing is not read on while its last connection's frames wait."""
        return self._spec.drop == "block" and bool(self._backlog)

    def pass_time(self) -> None:
        """Kill a process that hangs, or connect again when it is time."""
        super().pass_time()
        due = self._retry_s is not None and self._clock() >= self._retry_s
        if due and not self._held_up and not self.ended:
            self._retry_s = None
            self._over = False
            self._start(self._spec)

    def _end(
        self,
        outcome: str,
        detail: str = "",
        *,
        unfinished: bool = False,
        before: Sequence[Entry] = (),
    ) -> None:
        self._retry_s = None  # else it would be due for ever
        super()._end(outcome, detail, unfinished=unfinished, before=before)

    def _admit(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        passed: list[Entry] = []
        for entry in entries:
            if isinstance(entry, Fault) and entry.kind in TROUBLES:
                self._hear(entry)
                continue
            if isinstance(entry, Gap):
                self._handed += entry.dropped
            if isinstance(entry, End):
                entry = self._summed(entry)
            if isinstance(entry, Frames):
                passed += self._found(entry)
            passed.append(entry)
        return tuple(passed)

    def _hear(self, fault: Fault) -> None:
        """The process speaks of trouble; its connection may be over."""
        self._look()  # if frames had come, all reasons are new
        self._over = self._over or fault.kind == "disconnected"
        if fault.kind != "disconnected" or self._is_news(fault.detail):
            self._cry(fault.kind, fault.detail)

    def _cry(self, kind: str, detail: str, lost: int = 0) -> None:
        trouble = Trouble(self._spec.stream, kind, detail, lost, *self._last)
        self._chunks.append(Chunk((trouble,)))

    def _found(self, frames: Frames) -> list[Entry]:
        """Frames have come; what goes in front of them."""
        back = self._away and self._seen
        self._away, self._seen = False, True
        self._handed += len(frames.infos)
        self._last = (frames.infos[-1].session, frames.infos[-1].position)
        return [Gap(self._spec.stream, "reconnected")] if back else []

    def _see(self, note: Note) -> None:
        super()._see(note)
        self._told = note.counts
        if note.counts.sampled:  # the connection works, whether or not anybody asks for frames
            self._reasons.clear()
            self._backoff.reset()
        if note.mark is not None:  # the next connection shows nothing twice
            self._spec = self._spec.after({"mark": note.mark})

    def _summed(self, end: End) -> End:
        """The end of the last connection as the end of all."""
        counts = self._before + end.counts
        return replace(end, decoded=counts.decoded, lost=counts.lost, sampled=counts.sampled)

    def _is_news(self, reason: str) -> bool:
        """Not told in this outage; it is now."""
        if reason in self._reasons or len(self._reasons) == REASONS:
            return False
        self._reasons.add(reason)
        return True

    def _lost(self, kind: str, detail: str) -> None:
        held = self._told.sampled - self._handed
        self._before += self._told + Counts(lost=held)
        self._told, self._handed = Counts(), 0
        self._away = True
        if held or (not self._over and self._is_news(detail)):
            self._cry(kind, detail, held)
        if self._stopping:
            self._end("stopped")
            return
        self._retry_s = self._clock() + self._backoff.next_s()
