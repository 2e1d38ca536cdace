"""The actors of a job: thin shells over DecodeHost, Shard and the sinks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray
from ray.actor import ActorHandle

from pipeline.assembly import assemble, identify, open_sink, publisher
from pipeline.chunk import Chunk
from pipeline.config import Config
from pipeline.decode.host import DecodeHost
from pipeline.decode.spec import StreamSpec
from pipeline.doctor import check_layout
from pipeline.identity import Identity
from pipeline.progress import Progress
from pipeline.runtime.ray_feed import RayFeed
from pipeline.shard import Shard, Tally
from pipeline.sinks.sink import Message, Receipt


class DecodeActor:
    """Hosts the decoders of some streams."""

    def __init__(self) -> None:
        check_layout()
        self._host = DecodeHost()

    def open(self, spec: StreamSpec) -> None:
        self._host.open(spec)

    def exchange(self, wanted: Sequence[str], timeout_s: float) -> Chunk:
        """Ask for the next chunks of `wanted`; whatever has arrived, of any stream, within a while."""
        for stream in wanted:
            self._host.request(stream)
        chunks = self._host.wait(timeout_s)
        return Chunk(tuple(entry for chunk in chunks for entry in chunk.entries))

    def stop(self, stream: str) -> None:
        self._host.stop(stream)


class SinkActor:
    """Owns the one writer of a shard, or of all shards where the sink is a single file."""

    def __init__(self, config: Config, shard: int) -> None:
        self._sink = open_sink(config, shard)

    def claim(self, job: str, streams: Sequence[str], fresh: bool) -> dict[str, Progress]:
        return self._sink.claim(job, streams, fresh=fresh)

    def commit(self, messages: Sequence[Message], progress: Progress) -> Receipt:
        return self._sink.commit(messages, progress)

    def publish(self, messages: Sequence[Message]) -> Receipt:
        return self._sink.publish(messages)

    def close(self) -> None:
        self._sink.close()


class RemoteSink:
    """Implements `pipeline.sinks.sink.Sink` over a `SinkActor`."""

    def __init__(self, actor: ActorHandle) -> None:
        self._actor = actor

    def claim(self, job: str, streams: Sequence[str], *, fresh: bool = False) -> dict[str, Progress]:
        return ray.get(self._actor.claim.remote(job, streams, fresh))

    def commit(self, messages: Sequence[Message], progress: Progress) -> Receipt:
        return ray.get(self._actor.commit.remote(messages, progress))

    def publish(self, messages: Sequence[Message]) -> Receipt:
        return ray.get(self._actor.publish.remote(messages))

    def close(self) -> None:
        ray.get(self._actor.close.remote())


class EngineActor:
    """Runs a shard. Its decode actors are its own and die with it."""

    def __init__(self, config: Config, threads: int) -> None:
        check_layout()
        self._config = config
        self._engine = assemble(config, threads)
        self._shard: Shard | None = None

    def identity(self) -> Identity:
        return identify(self._engine)

    def run(self, job: str, specs: Sequence[StreamSpec], sink: ActorHandle, fresh: bool) -> Tally:
        """Process the streams to their ends. Runs beside `tally` and `stop`."""
        remote_class = ray.remote(num_cpus=0)(DecodeActor)
        feed = RayFeed(remote_class.remote, _pool_size(self._config, specs))
        raise NotImplementedError

    def tally(self) -> Tally:
        return self._shard.tally if self._shard else Tally()

    def stop(self) -> None:
        if self._shard:
            self._shard.stop()
