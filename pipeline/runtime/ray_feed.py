"""A feed over Ray: decode actors, each hosting the decoders of some streams.

Chunks come back whole through the object store, one call outstanding per actor. An actor that dies
is replaced, and its streams go on after the last frame that arrived here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError

from pipeline.chunk import Chunk, End, Entry, Fault, Frames
from pipeline.decode.spec import StreamSpec

log = logging.getLogger(__name__)

EXCHANGE_S = 0.25  # longest an actor waits for a chunk; what a request behind another call waits
LIVES_WITHOUT_PROGRESS = 3  # an actor that dies so often takes its recordings with it


@dataclass(slots=True)
class _Host:
    actor: ActorHandle
    specs: dict[str, StreamSpec] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)  # asked for and not answered
    wanted: list[str] = field(default_factory=list)  # asked for and not yet passed on
    call: ray.ObjectRef[Chunk] | None = None
    deaths: int = 0  # since the last chunk


class RayFeed:
    """Implements `pipeline.feed.Feed`."""

    def __init__(self, new_actor: Callable[[], ActorHandle], actors: int) -> None:
        """
        Args:
            new_actor: starts a `DecodeActor`.
            actors: size of the pool.
        """
        self._new_actor = new_actor
        self._hosts = [_Host(new_actor()) for _ in range(actors)]
        self._host_of: dict[str, _Host] = {}
        self._stopping: set[str] = set()

    def open(self, spec: StreamSpec) -> None:
        host = min(self._hosts, key=lambda host: len(host.specs))
        host.specs[spec.stream] = spec
        self._host_of[spec.stream] = host
        host.actor.open.remote(spec)

    def request(self, stream: str) -> None:
        host = self._host_of[stream]
        host.asked.add(stream)
        host.wanted.append(stream)
        self._exchange(host)

    def wait(self, timeout_s: float) -> list[Chunk]:
        calls = {host.call: host for host in self._hosts if host.call is not None}
        if not calls:
            return []
        ready, _ = ray.wait(list(calls), num_returns=len(calls), timeout=0)
        if not ready:
            ready, _ = ray.wait(list(calls), num_returns=1, timeout=timeout_s)
        chunks = [self._receive(calls[call]) for call in ready]
        return [chunk for chunk in chunks if chunk.entries]

    def stop(self, stream: str) -> None:
        self._stopping.add(stream)
        self._host_of[stream].actor.stop.remote(stream)

    def close(self) -> None:
        for host in self._hosts:
            ray.kill(host.actor)

    def _exchange(self, host: _Host) -> None:
        if host.call is None and host.asked:
            host.call = host.actor.exchange.remote(host.wanted, EXCHANGE_S)
            host.wanted = []

    def _receive(self, host: _Host) -> Chunk:
        call, host.call = host.call, None
        try:
            chunk: Chunk = ray.get(call)
        except RayActorError as error:
            return self._replace(host, error)
        for entry in chunk.entries:
            host.asked.discard(entry.stream)
            host.deaths = 0
            if isinstance(entry, Frames):
                self._advance(host, entry)
            elif isinstance(entry, End):
                self._forget(host, entry.stream)
        self._exchange(host)
        return chunk

    def _advance(self, host: _Host, frames: Frames) -> None:
        spec = host.specs[frames.stream]
        if not spec.live:  # a camera begins a new session
            host.specs[frames.stream] = replace(spec, cursor=frames.cursor)

    def _forget(self, host: _Host, stream: str) -> None:
        del host.specs[stream]
        del self._host_of[stream]

    def _replace(self, host: _Host, error: RayActorError) -> Chunk:
        """Start another actor where one died, and have it go on with the same streams."""
        host.deaths += 1
        log.warning("a decode actor died (%s) and is replaced", type(error).__name__)
        host.actor = self._new_actor()
        ends = self._given_up(host) if host.deaths >= LIVES_WITHOUT_PROGRESS else []
        for stream, spec in host.specs.items():
            host.actor.open.remote(spec)
            if stream in self._stopping:
                host.actor.stop.remote(stream)
        live = [stream for stream, spec in host.specs.items() if spec.live]
        host.asked.difference_update(live)  # this is their answer
        host.wanted = list(host.asked)
        self._exchange(host)
        faults = [Fault(stream, "crashed", "its decode actor died") for stream in live]
        return Chunk((*ends, *faults))

    def _given_up(self, host: _Host) -> list[Entry]:
        """The ends of an actor's recordings: one of them must be what kills it. Cameras stay."""
        detail = f"its decode actor died {host.deaths} times without a frame"
        ends: list[Entry] = []
        for stream, spec in list(host.specs.items()):
            if not spec.live:
                outcome = "degraded" if spec.cursor else "rejected"
                ends += [Fault(stream, "crashed", detail), End(stream, outcome, detail)]
                host.asked.discard(stream)
                self._forget(host, stream)
        return ends
