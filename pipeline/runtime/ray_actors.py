"""The actors of a job: thin shells over DecodeHost, Shard and the sinks."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayTaskError

from pipeline.chunk import Chunk
from pipeline.config import Config
from pipeline.decode.host import DecodeHost
from pipeline.decode.spec import StreamSpec
from pipeline.doctor import check_layout
from pipeline.errors import SinkError
from pipeline.identity import Identity
from pipeline.progress import Progress
from pipeline.runtime.ray_feed import RayFeed
from pipeline.shard import Shard
from pipeline.sinks.sink import Message, Receipt
from pipeline.sinks.uri import open_sink
from pipeline.tally import Tally

if TYPE_CHECKING:
    from pipeline.assembly import Assembly


LOOK_S = 0.25  # how often a call looks whether it is still wanted


class DecodeActor:
    """Hosts the decoders of some streams."""

    def __init__(self) -> None:
        check_layout()
        self._host = DecodeHost()

    def open(self, spec: StreamSpec) -> None:
        self._host.open(spec)

    def exchange(self, wanted: Sequence[str], timeout_s: float) -> Chunk:
        """Ask for the next chunks of `wanted`; give what has arrived of any stream by then."""
        for stream in wanted:
            self._host.request(stream)
        chunks = self._host.wait(timeout_s)
        entries = tuple(entry for chunk in chunks for entry in chunk.entries)
        return Chunk(entries, time.monotonic())

    def stop(self, stream: str) -> None:
        self._host.stop(stream)


class SinkActor:
    """Owns the one writer of a shard, or of all shards where the sink is a single file."""

    def __init__(self, uri: str, settings: Mapping[str, Any]) -> None:
        check_layout()
        self._sink = open_sink(uri, settings=settings)

    def claim(self, jobs: Mapping[str, str], fresh: bool) -> dict[str, Progress]:
        return self._sink.claim(jobs, fresh=fresh)

    def commit(self, messages: Sequence[Message], progress: Progress) -> Receipt:
        return self._sink.commit(messages, progress)

    def publish(self, messages: Sequence[Message]) -> Receipt:
        return self._sink.publish(messages)

    def close(self) -> None:
        self._sink.close()


class RemoteSink:
    """Implements `pipeline.sinks.sink.Sink` over a `SinkActor`, which holds the deadlines."""

    def __init__(self, actor: ActorHandle) -> None:
        self._actor = actor
        self._interrupted = threading.Event()

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        claimed: dict[str, Progress] = self._get(self._actor.claim.remote(jobs, fresh))
        return claimed

    def commit(self, messages: Sequence[Message], progress: Progress) -> Receipt:
        receipt: Receipt = self._get(self._actor.commit.remote(messages, progress))
        return receipt

    def publish(self, messages: Sequence[Message]) -> Receipt:
        receipt: Receipt = self._get(self._actor.publish.remote(messages))
        return receipt

    def interrupt(self) -> None:
        """The actor, which is in the middle of an attempt, is left behind with it."""
        self._interrupted.set()

    def close(self) -> None:
        self._get(self._actor.close.remote())

    def _get(self, call: ray.ObjectRef[Any]) -> Any:
        while not ray.wait([call], timeout=LOOK_S)[0]:
            if self._interrupted.is_set():
                raise SinkError("the sink was given up in mid-attempt", retryable=True)
        try:
            return ray.get(call)
        except RayTaskError as error:
            if isinstance(error.cause, SinkError):
                raise error.cause from None
            raise


class EngineActor:
    """Runs a shard. The decode actors are its own and die with it.

    Wants two threads: `run` blocks one, `tally` and `stop` are called meanwhile.
    """

    def __init__(self, config: Config, decoders: int) -> None:
        """
        Args:
            config: what to run.
            decoders: decode actors; they start while the weights load.
        """
        check_layout()
        self._config = config
        self._feed = RayFeed(ray.remote(num_cpus=0)(DecodeActor).remote, decoders)
        self._assembly: Assembly | None = None
        self._shard: Shard | None = None
        self._stopped = False

    def assemble(self) -> Identity:
        """Build the engine. No part of `__init__`, whose errors reach the driver as text only."""
        # Not at the top: driver, sink and decode actors need no torch, which costs each of them
        # 1.5 s of CPU time and 480 MiB (2 cores, 2026-11-22).
        from pipeline.assembly import assemble

        self._assembly = assemble(self._config)
        return self._assembly.identity

    def run(
        self,
        jobs: Mapping[str, str],
        specs: Sequence[StreamSpec],
        sink: ActorHandle,
        labels: Sequence[Message],
        fresh: bool,
        again: bool,
    ) -> Tally:
        """See `pipeline.shard.Shard.run`."""
        if self._assembly is None:  # this engine replaces one that died
            self.assemble()
        assert self._assembly
        self._shard = self._assembly.shard(self._config, jobs, specs, self._feed, RemoteSink(sink))
        if self._stopped:
            self._shard.stop()
        try:
            return self._shard.run(jobs, specs, labels=labels, fresh=fresh, again=again)
        finally:
            self._feed.close()

    def tally(self) -> Tally:
        return self._shard.tally if self._shard else Tally()

    def stop(self) -> None:
        self._stopped = True
        if self._shard:
            self._shard.stop()
