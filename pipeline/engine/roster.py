"""Which streams a shard has: named, claimed, waiting for their turn, open, gone.

Streams come and go while the shard runs, asked for from any thread. Knows nothing of frames.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from operators.errors import UsageError
from pipeline.engine.intake import Intake
from pipeline.engine.lane import Lane
from pipeline.engine.line import Claim
from pipeline.engine.tally import Outcome, Tally
from pipeline.stream.chunk import End
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec


class Roster:
    """`add` and `remove` may be called from any thread; the rest belongs to the shard's loop.

    Attributes:
        lanes: stream -> lane, of those that are open.
        endless: how many of them may go on for ever, as cameras do.
    """

    def __init__(
        self,
        intake: Intake,
        tally: Tally,
        make_lane: Callable[[StreamSpec, Progress], Lane],
        most_open: int | None,
    ) -> None:
        """
        Args:
            intake: where streams are opened and stopped.
            tally: is told how they ended.
            make_lane: of a stream that was claimed.
            most_open: how many recordings decode at a time; None: all.
        """
        self._intake = intake
        self._tally = tally
        self._make_lane = make_lane
        self._most_open = most_open
        self._lock = threading.Lock()
        self._closed = False
        self._names: set[str] = set()
        self._added: list[Claim] = []
        self._removed: list[str] = []
        self._specs: dict[str, StreamSpec] = {}  # not claimed yet
        self._waiting: deque[tuple[StreamSpec, Lane]] = deque()
        self.lanes: dict[str, Lane] = {}
        self.endless = 0

    def names(self) -> set[str]:
        """Of all that are here; from any thread."""
        with self._lock:
            return set(self._names)

    @property
    def empty(self) -> bool:
        """No stream is here, or is about to be."""
        return not self._names

    @property
    def live(self) -> bool:
        """Some that are not claimed yet cannot wait."""
        return any(spec.live for spec in self._specs.values())

    @property
    def waiting(self) -> bool:
        """Some are claimed and not open."""
        return bool(self._waiting)

    def add(
        self, jobs: Mapping[str, str], specs: Sequence[StreamSpec], *, fresh: bool = False
    ) -> None:
        """Have streams in.

        Args:
            jobs: stream -> its job, of these at least.
            specs: the streams.
            fresh: forget earlier progress.

        Raises:
            UsageError: one is here already, or no more are taken; then none of them comes in.
        """
        named = {spec.stream: spec for spec in specs}
        claim = Claim({name: jobs[name] for name in named}, fresh)
        with self._lock:
            if self._closed:
                raise UsageError("the run is about to end and takes no more streams")
            if len(named) < len(specs) or self._names & set(named):
                twice = sorted(self._names & set(named)) or sorted(named)
                raise UsageError(f"stream {', '.join(twice)} is here already; remove it first")
            self._names |= set(named)
            self._specs |= named
            if named:
                self._added.append(claim)

    def remove(self, stream: str) -> None:
        """Have a stream end as one that is stopped: what is decoded is finished and committed.

        Raises:
            UsageError: no such stream is here.
        """
        with self._lock:
            if stream not in self._names:
                known = ", ".join(sorted(self._names)) or "none"
                raise UsageError(f"no stream {stream} is here; there are: {known}")
            self._removed.append(stream)

    def take_claims(self) -> list[Claim]:
        """Of the streams that were added since the last time."""
        with self._lock:
            added, self._added = self._added, []
        return added

    def admit(self, claimed: Mapping[str, Progress]) -> None:
        """These streams are ours: they wait for their turn, unless no more are to begin."""
        for stream, progress in claimed.items():
            spec = self._specs.pop(stream, None)
            if spec is None:
                continue
            if progress.done:
                self._forget(stream, Outcome.before(progress))
                continue
            self._tally.forget(stream)
            spec = replace(spec, cursor=progress.cursor, epoch=progress.epoch)
            self._waiting.append((spec, self._make_lane(spec, progress)))

    def reject(self, streams: Iterable[str], why: str) -> None:
        """These could not be claimed."""
        for stream in streams:
            if self._specs.pop(stream, None):
                self._forget(stream, Outcome(stream, "rejected", why))

    def open_next(self) -> list[str]:
        """Open those that wait, as long as there is room; which ones."""
        opened = []
        for spec, lane in list(self._waiting):
            if spec.endless or self._has_room():
                self._waiting.remove((spec, lane))
                self._intake.open(spec)
                self._enter(lane)
                opened.append(spec.stream)
        return opened

    def _enter(self, lane: Lane) -> None:
        self.lanes[lane.stream] = lane
        self.endless += lane.spec.endless

    def _has_room(self) -> bool:
        return self._most_open is None or len(self.lanes) - self.endless < self._most_open

    def stop_removed(self) -> list[str]:
        """Those that are to go and are claimed end soon; which of them were not open yet."""
        with self._lock:
            removed = [stream for stream in self._removed if stream not in self._specs]
            self._removed = [stream for stream in self._removed if stream in self._specs]
        self._intake.stop(stream for stream in removed if stream in self.lanes)
        ended = []
        for spec, lane in [one for one in self._waiting if one[0].stream in removed]:
            self._waiting.remove((spec, lane))
            lane.queue.accept([End(spec.stream, "stopped")])  # so that the sink lets go of it
            self._enter(lane)
            ended.append(spec.stream)
        return ended

    def begin_no_more(self) -> None:
        """Whatever is not open never will be, and nothing comes in any more."""
        self._waiting.clear()
        with self._lock:
            self._closed = True
            self._added.clear()
            self._specs.clear()
            self._names &= set(self.lanes)

    def leave(self, lane: Lane, outcome: Outcome) -> None:
        """A lane is done with."""
        del self.lanes[lane.stream]
        self.endless -= lane.spec.endless
        self._forget(lane.stream, outcome)

    def _forget(self, stream: str, outcome: Outcome) -> None:
        self._tally.outcomes.append(outcome)
        with self._lock:
            self._names.discard(stream)
            self._removed = [name for name in self._removed if name != stream]
