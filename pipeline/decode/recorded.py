"""A recording's decode process: restarted after the last frame that came, and given up in time."""

from __future__ import annotations

from pipeline.decode.process import DecodeProcess
from pipeline.decode.supervisor import Clock, Launch, Supervisor
from pipeline.stream.chunk import Counts, Entry, Fault, Frames, Shot
from pipeline.stream.spec import StreamSpec

RESTARTS = 2  # without a frame in between


def left_open(spec: StreamSpec) -> list[Shot]:
    """The shot in which a recording stands at its cursor, where nobody goes on from there."""
    if spec.shots is None or spec.cursor is None:
        return []
    from pipeline.decode.shots import Shots  # media, which are decode processes' alone otherwise

    return Shots(spec).rest()


class RecordedSupervisor(Supervisor):
    """Loses nothing that can be decoded: a crash or a hang is a Fault, and decoding goes on."""

    def __init__(self, spec: StreamSpec, clock: Clock, *, launch: Launch = DecodeProcess) -> None:
        super().__init__(spec, clock, launch=launch)
        self._failures = 0
        self._start(spec)

    @property
    def counts(self) -> Counts:
        """Frames of the session up to the cursor."""
        return self._spec.counts

    def _admit(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        for entry in entries:
            if isinstance(entry, Frames):
                self._spec = self._spec.after(entry.cursor)
                self._failures = 0
        return entries

    def _lost(self, kind: str, detail: str) -> None:
        self._say(Fault(self._spec.stream, kind, detail))
        self._failures += 1
        if self._stopping:
            self._end("stopped")
        elif self._failures > RESTARTS:
            self._give_up(kind, f"{detail}; {RESTARTS} restarts did not help")
        else:
            self._start(self._spec)

    def _give_up(self, kind: str, detail: str) -> None:
        if self._spec.cursor is None:
            self._end("rejected", detail)
        elif self._may_go_on(kind):
            self._end("degraded", detail, unfinished=True)
        else:
            self._end("degraded", detail, before=left_open(self._spec))

    def _may_go_on(self, kind: str) -> bool:
        """A network that says nothing today may have the rest another day, and a folder more files;
        a file that crashes its decoder has none."""
        return self._spec.follow or (kind == "stalled" and self._spec.networked)
