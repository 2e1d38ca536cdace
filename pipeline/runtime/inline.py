"""Runs a job in this process: no Ray, decoders as child processes, the sink called directly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.configuration.config import Config
from pipeline.decode.host import DecodeHost
from pipeline.engine.assembly import assemble
from pipeline.engine.identity import Identity
from pipeline.engine.shard import Shard
from pipeline.engine.tally import Tally
from pipeline.records.message import labels_message
from pipeline.sinks.uri import open_sink
from pipeline.stream.spec import StreamSpec


class InlineRun:
    """One job. `run` blocks; `stop` and `tally` may be used from other threads meanwhile."""

    def __init__(
        self,
        config: Config,
        specs: Sequence[StreamSpec],
        *,
        fresh: bool,
        tell: Callable[[Identity], None],
    ) -> None:
        """
        Args:
            config: what to run.
            specs: the streams.
            fresh: forget earlier progress.
            tell: called once, when it is known what runs.
        """
        self._config = config
        self._specs = specs
        self._fresh = fresh
        self._tell = tell
        self._shard: Shard | None = None
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
        assembly = assemble(config)
        identity = assembly.identity
        self._tell(identity)
        jobs = identity.jobs(self._specs)
        sink = open_sink(config.sink.uri, settings=config.sink.settings)
        feed = DecodeHost()
        try:
            self._shard = assembly.shard(config, feed, sink)
            if self._stopped:
                self._shard.stop()
            labels = [labels_message(name, rows) for name, rows in identity.labels.items()]
            return self._shard.run(jobs, self._specs, labels=labels, fresh=self._fresh)
        finally:
            feed.close()
            sink.close()
            assembly.engine.close()

    def stop(self) -> None:
        """Drain: finish what is decoded, commit it, return from `run`."""
        self._stopped = True
        if self._shard:
            self._shard.stop()
