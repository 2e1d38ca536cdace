"""A feed over Ray: decode actors, each hosting the decoders of some streams.

Chunks come back whole through the object store, one call outstanding per actor. An actor that dies,
is silent, or whose chunk is lost with its node, is replaced, and its streams go on after the last
frame that arrived here.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import astuple, dataclass, field, replace
from itertools import chain

import ray
from ray.actor import ActorHandle

from pipeline.chunk import Chunk, Counts, End, Entry, Fault, Frames, Gap, Trouble, sampled_in
from pipeline.decode.spec import StreamSpec
from pipeline.runtime.ray_watch import Lost, Patience, is_lost

log = logging.getLogger(__name__)

EXCHANGE_S = 0.25  # longest an actor waits for a chunk; what a request behind another call waits
LIVES_WITHOUT_PROGRESS = 3  # an actor that dies so often takes its recordings with it

DIED = "its decode actor died; how many frames of this camera it held is not known"


@dataclass(slots=True)
class _Host:
    actor: ActorHandle
    specs: dict[str, StreamSpec] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)  # asked for and not answered
    wanted: list[str] = field(default_factory=list)  # asked for and not yet passed on
    call: ray.ObjectRef[Chunk] | None = None
    called_s: float = 0.0
    due_s: float = 0.0  # when it is lost, unless it has answered
    sent: bool = False  # it has answered, and the chunk is on its way
    allowed_s: float = 0.0  # for a call; more for the first one, while the actor starts
    deaths: int = 0  # since the last chunk


class RayFeed:
    """Implements `pipeline.feed.Feed`."""

    def __init__(
        self,
        new_actor: Callable[[], ActorHandle],
        actors: int,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            new_actor: starts a `DecodeActor`.
            actors: size of the pool.
            patience: how long an actor may keep a call.
            clock: seconds, monotonic.
        """
        self._new_actor = new_actor
        self._patience = patience
        self._clock = clock
        self._hosts = [_Host(new_actor(), allowed_s=patience.start_s) for _ in range(actors)]
        self._host_of: dict[str, _Host] = {}
        self._stopping: set[str] = set()
        self._kept: dict[str, list[Entry]] = {}  # of ours, for the stream's next request
        self._ready: list[Chunk] = []
        self._told: defaultdict[str, Counts] = defaultdict(Counts)  # live: by all entries that came
        self._before: dict[str, Counts] = {}  # of that, by those from actors that are dead
        self._away: dict[str, bool] = {}  # no frames since its actor died -> any before that

    def open(self, spec: StreamSpec) -> None:
        host = min(self._hosts, key=lambda host: len(host.specs))
        host.specs[spec.stream] = spec
        self._host_of[spec.stream] = host
        host.actor.open.remote(spec)

    def request(self, stream: str) -> None:
        if kept := self._kept.pop(stream, None):
            self._ready.append(Chunk(tuple(kept)))
            return
        host = self._host_of[stream]
        host.asked.add(stream)
        host.wanted.append(stream)
        self._exchange(host)

    def wait(self, timeout_s: float) -> list[Chunk]:
        if self._ready:
            return self._hand_over()
        for host in self._hosts:
            self._exchange(host)
        calls = {host.call: host for host in self._hosts if host.call is not None}
        if not calls:
            time.sleep(timeout_s)  # nobody is asked for anything
            return []
        ready, late = ray.wait(list(calls), num_returns=len(calls), timeout=0)
        if not ready:
            ready, late = ray.wait(list(calls), num_returns=1, timeout=timeout_s)
        for call in ready:
            self._receive(calls[call])
        for call in late:
            self._judge(call, calls[call])
        return self._hand_over()

    def stop(self, stream: str) -> None:
        if host := self._host_of.get(stream):  # else it has ended
            self._stopping.add(stream)
            host.actor.stop.remote(stream)

    def close(self) -> None:
        for host in self._hosts:
            ray.kill(host.actor)

    def _exchange(self, host: _Host) -> None:
        """Call an actor that owes something, or whose cameras may be in trouble."""
        live = any(spec.live for spec in host.specs.values())
        if host.call is None and (host.asked or live):
            host.called_s, host.sent = self._clock(), False
            host.due_s = host.called_s + host.allowed_s
            host.call = host.actor.exchange.remote(host.wanted, EXCHANGE_S)
            host.wanted = []

    def _hand_over(self) -> list[Chunk]:
        chunks, self._ready = self._ready, []
        return chunks

    def _receive(self, host: _Host) -> None:
        call, host.call = host.call, None
        try:
            chunk: Chunk = ray.get(call, timeout=self._patience.silence_s)
        except Exception as error:
            if not is_lost(error):
                raise
            self._replace(host, error)
            return
        host.allowed_s = self._patience.silence_s
        if chunk.entries:
            host.deaths = 0
            # Two machines, two monotonic clocks: an age is at most the call too long, never short.
            ahead_s = 0.0 if chunk.sent_s is None else host.called_s - chunk.sent_s
            entries = [self._admit(host, entry, ahead_s) for entry in chunk.entries]
            self._ready.append(Chunk(tuple(chain.from_iterable(entries))))
        self._exchange(host)

    def _admit(self, host: _Host, entry: Entry, ahead_s: float) -> list[Entry]:
        """See an entry go by on its way to whoever asked; it, and what goes in front of it."""
        stream = entry.stream
        self._told[stream] += _counts_in(entry)
        if isinstance(entry, Trouble):
            return [entry]
        host.asked.discard(stream)
        if isinstance(entry, End):
            self._forget(host, stream)
            return [self._summed(entry)]
        if not isinstance(entry, Frames):
            return [entry]
        # A camera begins a new session, behind what a playlist has shown of it.
        host.specs[stream] = host.specs[stream].after(entry.cursor)
        # Its actor cannot say that, which knows of no frames before its own.
        back = [Gap(stream, "reconnected")] if self._away.pop(stream, False) else []
        return [*back, entry.shifted(ahead_s)]

    def _summed(self, end: End) -> End:
        """A camera's last actor knows nothing of what came from those before it."""
        if end.stream not in self._before:
            return end
        counts = self._before[end.stream] + end.counts
        return replace(end, decoded=counts.decoded, sampled=counts.sampled, lost=counts.lost)

    def _forget(self, host: _Host, stream: str) -> None:
        del host.specs[stream]
        del self._host_of[stream]

    def _judge(self, call: ray.ObjectRef[Chunk], host: _Host) -> None:
        """An actor gives what it has after `EXCHANGE_S`: one that keeps a call is stopped."""
        if self._clock() <= host.due_s:
            return
        if not host.sent and ray.wait([call], timeout=0, fetch_local=False)[0]:
            # It has answered. Nobody here has fetched that yet, as during a step that took long.
            host.sent, host.due_s = True, self._clock() + self._patience.silence_s
            return
        host.call = None
        self._replace(host, Lost(f"no sign of life for {host.allowed_s:g} s"))

    def _replace(self, host: _Host, error: Exception) -> None:
        """Start another actor where one is lost, and have it go on with the same streams."""
        host.deaths += 1
        why = str(error) if isinstance(error, Lost) else type(error).__name__
        log.warning("a decode actor is lost (%s) and is replaced", why)
        ray.kill(host.actor)  # it may live: stopped, cut off, or only its chunk was lost
        host.actor, host.allowed_s = self._new_actor(), self._patience.start_s
        if host.deaths >= LIVES_WITHOUT_PROGRESS:
            self._give_up(host)
        for stream, spec in host.specs.items():
            host.actor.open.remote(spec)
            if stream in self._stopping:
                host.actor.stop.remote(stream)
            if spec.live:
                self._before[stream] = self._told[stream]
                self._away[stream] = bool(self._told[stream].sampled)
                trouble = Trouble(stream, "crashed", DIED)
                self._ready.append(Chunk((trouble,)))
        host.wanted = list(host.asked)
        self._exchange(host)

    def _give_up(self, host: _Host) -> None:
        """End an actor's recordings: one of them must be what kills it. Cameras stay."""
        detail = f"its decode actor died {host.deaths} times without a frame"
        for stream, spec in list(host.specs.items()):
            if not spec.live:
                outcome = "degraded" if spec.cursor else "rejected"
                decoded, sampled, lost = astuple(spec.counts)
                end = End(stream, outcome, detail, decoded, lost, sampled=sampled)
                self._say(host, Fault(stream, "crashed", detail), end)
                self._forget(host, stream)

    def _say(self, host: _Host, *entries: Entry) -> None:
        """Something of our own: the answer where the stream is asked, else to its next request."""
        stream = entries[0].stream
        if stream in host.asked:
            host.asked.discard(stream)
            self._ready.append(Chunk(entries))
        else:
            self._kept.setdefault(stream, []).extend(entries)


def _counts_in(entry: Entry) -> Counts:
    """What an entry tells of frames; those that no rule took are in none."""
    frames = sampled_in(entry)
    return Counts(frames, frames, entry.lost if isinstance(entry, Fault) else 0)
