"""A live stream's decode processes: one per connection, again and again until it is stopped."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from pipeline.chunk import Counts, End, Entry, Fault, Frames, Gap
from pipeline.decode.backoff import Backoff
from pipeline.decode.spec import StreamSpec
from pipeline.decode.supervisor import Clock, Supervisor
from pipeline.decode.wire import Message

REASONS = 8  # that are told of one outage; a camera may find a new one at every try


class LiveSupervisor(Supervisor):
    """Reconnects as a new session; says why a connection is lost, each reason once per outage."""

    def __init__(self, spec: StreamSpec, clock: Clock, rng: Random) -> None:
        super().__init__(spec, clock)
        self._backoff = Backoff(rng)
        self._retry_s: float | None = None
        self._seen = False  # frames, in any connection
        self._reasons: set[str] = set()  # told of the present outage
        self._over = False  # the process has said that its connection is lost
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
        return super().wake_s() if self._process else self._retry_s

    def pass_time(self) -> None:
        """Kill a process that hangs, or connect again when it is time."""
        super().pass_time()
        if self._retry_s is not None and self._clock() >= self._retry_s and not self.ended:
            self._retry_s = None
            self._over = False
            self._start(self._spec)

    def _admit(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        passed: list[Entry] = []
        for entry in entries:
            if isinstance(entry, Fault) and entry.kind == "disconnected":
                self._over = True
                if not self._is_news(entry.detail):
                    continue
            if isinstance(entry, Gap):
                self._handed += entry.dropped
            if isinstance(entry, End):
                entry = self._summed(entry)
            if isinstance(entry, Frames):
                self._spec = self._spec.after(entry.cursor)  # so that nothing is shown twice
                if self._reasons and self._seen:
                    passed.append(Gap(self._spec.stream, "reconnected"))
                self._seen = True
                self._handed += len(entry.infos)
                self._reasons.clear()
                self._backoff.reset()
            passed.append(entry)
        return tuple(passed)

    def _see(self, message: Message) -> None:
        super()._see(message)
        self._told = message.counts

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
        if held or (not self._over and self._is_news(detail)):
            self._say(Fault(self._spec.stream, kind, detail, held))
        if self._stopping:
            self._end("stopped")
            return
        self._retry_s = self._clock() + self._backoff.next_s()
