"""A feed over Ray: decode actors, each hosting the decoders of some streams.

Chunks come back whole through the object store, one call outstanding per actor. An actor that dies,
is silent, or whose chunk is lost with its node, is replaced after a while, and its streams go on
after the last frame that arrived here.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import chain
from random import Random

import ray
from ray.actor import ActorHandle

from pipeline.decode.backoff import Backoff
from pipeline.decode.recorded import left_open
from pipeline.log_queue import relay
from pipeline.runtime.ray_room import DECODER_STREAMS
from pipeline.runtime.ray_watch import Lost, Patience, is_lost, why_lost
from pipeline.stream.chunk import Chunk, Counts, End, Entry, Fault, Frames, Gap, Trouble, sampled_in
from pipeline.stream.spec import StreamSpec

log = logging.getLogger(__name__)

EXCHANGE_S = 0.25  # longest an actor waits for a chunk; what a request behind another call waits
LIVES_WITHOUT_PROGRESS = 3  # a recording whose actors die so often without a frame of it is over

DIED = "its decode actor died; how many frames of this camera it held is not known"


@dataclass(slots=True, eq=False)
class _Host:
    backoff: Backoff
    actor: ActorHandle | None  # None: dead, and its successor is not started yet
    revive_s: float = 0.0  # when it is
    specs: dict[str, StreamSpec] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)  # asked for and not answered
    wanted: list[str] = field(default_factory=list)  # asked for and not yet passed on
    call: ray.ObjectRef[Chunk] | None = None
    called_s: float = 0.0
    due_s: float = 0.0  # when it is lost, unless it has answered
    sent: bool = False  # it has answered, and the chunk is on its way
    allowed_s: float = 0.0  # for a call; more for the first one, while the actor starts


class RayFeed:
    """Implements `pipeline.stream.feed.Feed`."""

    def __init__(
        self,
        new_actor: Callable[[], ActorHandle],
        actors: int,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
        *,
        most: int = 0,
    ) -> None:
        """
        Args:
            new_actor: starts a `DecodeActor`.
            actors: that are there from the beginning, and stay.
            patience: how long an actor may keep a call.
            clock: seconds, monotonic.
            rng: jitter of new actors.
            most: actors, where streams are more than `DECODER_STREAMS` for each.
        """
        self._rng = rng or Random()
        self._fewest, self._most = actors, most
        self._new_actor = new_actor
        self._patience = patience
        self._clock = clock
        self._hosts = [self._new_host() for _ in range(actors)]
        self._host_of: dict[str, _Host] = {}
        self._stopping: set[str] = set()
        self._kept: dict[str, list[Entry]] = {}  # of ours, for the stream's next request
        self._ready: list[Chunk] = []
        self._told: defaultdict[str, Counts] = defaultdict(Counts)  # live: by all entries that came
        self._before: dict[str, Counts] = {}  # of that, by those from actors that are dead
        self._deaths: Counter[str] = Counter()  # of actors that owed a recording's next frames
        self._away: dict[str, bool] = {}  # no frames since its actor died -> any before that

    def _new_host(self) -> _Host:
        return _Host(Backoff(self._rng), self._new_actor(), allowed_s=self._patience.start_s)

    def open(self, spec: StreamSpec) -> None:
        host = min(self._hosts, key=lambda host: len(host.specs))
        if len(host.specs) >= DECODER_STREAMS and len(self._hosts) < self._most:
            host = self._new_host()
            self._hosts.append(host)
        host.specs[spec.stream] = spec
        self._host_of[spec.stream] = host
        if host.actor:
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
        self._let_go()
        for host in self._hosts:
            self._revive(host)
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
            if host.actor:
                host.actor.stop.remote(stream)
            else:
                self._end(host, stream, "stopped")

    def close(self) -> None:
        for host in self._hosts:
            if host.actor:
                ray.kill(host.actor)

    def _let_go(self) -> None:
        """Of actors that have no streams any more, as many as were more than at the beginning."""
        idle = [host for host in self._hosts if not host.specs and host.call is None]
        for host in idle[: max(0, len(self._hosts) - self._fewest)]:
            self._hosts.remove(host)
            if host.actor:
                ray.kill(host.actor)

    def _exchange(self, host: _Host) -> None:
        """Call an actor that owes something, or whose cameras may be in trouble."""
        live = any(spec.live for spec in host.specs.values())
        if host.actor and host.call is None and (host.asked or live):
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
            self._bury(host, error)
            return
        host.allowed_s = self._patience.silence_s
        relay(chunk.lines)
        if chunk.entries:
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
            end = self._summed(entry)
            self._forget(host, stream)
            return [end]
        if not isinstance(entry, Frames):
            return [entry]
        host.backoff.reset()
        del self._deaths[stream]
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
        """It has ended; one of the same name may come again and knows nothing of it."""
        del host.specs[stream]
        del self._host_of[stream]
        self._stopping.discard(stream)
        for known in (self._told, self._before, self._deaths, self._away):
            known.pop(stream, None)

    def _judge(self, call: ray.ObjectRef[Chunk], host: _Host) -> None:
        """An actor gives what it has after `EXCHANGE_S`: one that keeps a call is stopped."""
        if self._clock() <= host.due_s:
            return
        if not host.sent and ray.wait([call], timeout=0, fetch_local=False)[0]:
            # It has answered. Nobody here has fetched that yet, as during a step that took long.
            host.sent, host.due_s = True, self._clock() + self._patience.silence_s
            return
        host.call = None
        self._bury(host, Lost(f"no sign of life for {host.allowed_s:g} s"))

    def _bury(self, host: _Host, error: Exception) -> None:
        """An actor is lost; another one goes on with its streams, the later the oftener that is."""
        wait_s = host.backoff.next_s()
        log.warning(
            "a decode actor is lost (%s) and is replaced in %.1f s", why_lost(error), wait_s
        )
        ray.kill(host.actor)  # it may live: stopped, cut off, or only its chunk was lost
        host.actor, host.revive_s = None, self._clock() + wait_s
        for stream, spec in list(host.specs.items()):
            if spec.live:
                self._miss(stream)
            elif stream in host.asked:
                self._blame(host, stream)
            if stream in self._stopping and stream in host.specs:
                self._end(host, stream, "stopped")

    def _miss(self, stream: str) -> None:
        """A camera's actor is dead, which is told once until frames come again."""
        self._before[stream] = self._told[stream]
        if stream not in self._away:
            self._away[stream] = bool(self._told[stream].sampled)
            self._ready.append(Chunk((Trouble(stream, "crashed", DIED),)))

    def _blame(self, host: _Host, stream: str) -> None:
        """A recording that has come no further again and again may be what kills its actors."""
        self._deaths[stream] += 1
        if self._deaths[stream] >= LIVES_WITHOUT_PROGRESS:
            detail = f"its decode actor died {self._deaths[stream]} times without a frame"
            outcome = "degraded" if host.specs[stream].cursor else "rejected"
            self._end(host, stream, outcome, Fault(stream, "crashed", detail))

    def _revive(self, host: _Host) -> None:
        """Start a dead actor's successor when it is time, with the same streams."""
        if host.actor or not host.specs or self._clock() < host.revive_s:
            return
        host.actor, host.allowed_s = self._new_actor(), self._patience.start_s
        for spec in host.specs.values():
            host.actor.open.remote(spec)
        host.wanted = list(host.asked)

    def _end(self, host: _Host, stream: str, outcome: str, fault: Fault | None = None) -> None:
        """The end of a stream that no actor can say."""
        spec = host.specs[stream]
        counts = self._told[stream] if spec.live else spec.counts
        end = End(
            stream,
            outcome,
            fault.detail if fault else "",
            counts.decoded,
            counts.lost,
            unfinished=spec.follow,  # a later run goes on with it
            sampled=counts.sampled,
        )
        shots = left_open(spec) if outcome == "degraded" and not spec.follow else []
        self._say(host, *([fault] if fault else []), *shots, end)
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
