"""Runs a job in this process: no Ray, decoders as child processes, the sink called directly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from operators.errors import UsageError
from pipeline.configuration.config import Config
from pipeline.decode.descriptors import allow_many_descriptors
from pipeline.decode.host import DecodeHost
from pipeline.engine.assembly import Assembly, assemble
from pipeline.engine.identity import Identity
from pipeline.engine.shard import Shard
from pipeline.engine.tally import Tally
from pipeline.records.message import labels_message
from pipeline.sinks.uri import open_sink
from pipeline.stream.feed import Feed
from pipeline.stream.spec import StreamSpec


class InlineRun:
    """One job. `run` blocks; the others may be used from other threads meanwhile.

    Attributes:
        specs: every stream that is in the run, or was.
    """

    def __init__(
        self,
        config: Config,
        specs: Sequence[StreamSpec],
        *,
        fresh: bool,
        tell: Callable[[Identity], None],
        stay: bool = False,
        build: Callable[[Config], Assembly] = assemble,
        decoders: Callable[[], Feed] = DecodeHost,
    ) -> None:
        """
        Args:
            config: what to run.
            specs: the streams to begin with.
            fresh: forget earlier progress.
            tell: called once, when it is known what runs.
            stay: go on without streams, until `stop`; some may be added.
            build: makes the engine.
            decoders: makes what its frames come from.
        """
        self._build = build
        self._decoders = decoders
        self._config = config
        self.specs = {spec.stream: spec for spec in specs}
        self._fresh = fresh
        self._tell = tell
        self._stay = stay
        self._lock = threading.Lock()
        self._waiting = list(specs)  # until there is a shard
        self._shard: Shard | None = None
        self._identity: Identity | None = None
        self._stopped = False

    @property
    def tally(self) -> Tally:
        """What has been done so far; the shard counts on in its own."""
        return self._shard.tally.snapshot() if self._shard else Tally()

    def run(self) -> Tally:
        """To the end of every stream, or until `stop`.

        Raises:
            DinostreamError: bad weights, heads or settings, or a sink that failed.
        """
        config = self._config
        allow_many_descriptors()
        assembly = self._build(config)
        identity = assembly.identity
        self._tell(identity)
        sink = open_sink(config.sink.uri, settings=config.sink.settings)
        feed = self._decoders()
        try:
            shard = assembly.shard(config, feed, sink)
            with self._lock:
                specs, self._identity, self._shard = self._waiting, identity, shard
                shard.add(identity.jobs(specs), specs, fresh=self._fresh)
            if self._stopped:
                shard.stop()
            labels = [labels_message(name, rows) for name, rows in identity.labels.items()]
            return shard.run({}, (), labels=labels, stay=self._stay)
        finally:
            feed.close()
            sink.close()
            assembly.engine.close()

    @property
    def turned_s(self) -> float | None:
        """When its loop last turned, seconds of the monotonic clock; None: not at work yet."""
        return self._shard.turned_s if self._shard else None

    def streams(self) -> Collection[str]:
        """Those that are in the run."""
        with self._lock:
            return self._shard.streams() if self._shard else [one.stream for one in self._waiting]

    def check(self, spec: StreamSpec) -> None:
        """Refuse a stream on which no operator runs; see `Identity.jobs`."""
        with self._lock:
            if self._identity:
                self._identity.jobs([spec])

    def add(self, specs: Sequence[StreamSpec]) -> None:
        """Take in streams beside those that run; see `Roster.add`. None before it is known which
        operators run: they could not be refused any more."""
        with self._lock:
            if self._shard is None or self._identity is None:
                raise UsageError("the engine is not at work yet")
            self._shard.add(self._identity.jobs(specs), specs)
            self.specs = self.specs | {spec.stream: spec for spec in specs}

    def remove(self, stream: str) -> None:
        """Stop one stream, and no other; see `Roster.remove`."""
        with self._lock:
            if self._shard:
                self._shard.remove(stream)
            else:
                self._waiting = [one for one in self._waiting if one.stream != stream]

    def stop(self) -> None:
        """Drain: finish what is decoded, commit it, return from `run`."""
        self._stopped = True
        if self._shard:
            self._shard.stop()
