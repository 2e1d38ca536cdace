"""Test doubles for whoever writes an operator or a sink: a list for a sink, a clock set by hand.

The synthetic source is `synthetic:room`, which every command takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.fence import claimed, is_done
from pipeline.sinks.sink import Receipt
from pipeline.stream.progress import Progress


class ManualClock:
    """Seconds that pass only when told to."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class ListSink:
    """Implements `pipeline.sinks.sink.Sink` in memory, with the same rules about ids and epochs."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.stored: dict[tuple[str, str], Progress] = {}
        self._values: dict[tuple[str, str], bytes] = {}

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        standing = {}
        for stream, job in jobs.items():
            known = None if fresh else self.stored.get((job, stream))
            if not (known and known.done):
                known = claimed(known or Progress(job, stream), self._newest_epoch(stream))
                self.stored[job, stream] = known
            standing[stream] = known
        return standing

    def resume(self, held: Sequence[Progress]) -> dict[str, Progress]:
        ours = [one for one in held if self._newest_epoch(one.stream) == one.epoch]
        stored = {one.stream: self.stored.get((one.job, one.stream)) for one in ours}
        return {stream: progress for stream, progress in stored.items() if progress}

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        return sum(map(self._commit_one, commits), Receipt())

    def _commit_one(self, commit: Commit) -> Receipt:
        progress = commit.progress
        key = (progress.job, progress.stream)
        newest = self._newest_epoch(progress.stream)
        stored = self.stored.get(key)
        if is_done(stored, progress, newest_epoch=newest, skips=commit.skips):
            return Receipt(repeated=len(commit.messages))
        self.stored[key] = progress
        return self.publish(commit.messages)

    def publish(self, messages: Sequence[Message]) -> Receipt:
        receipt = Receipt()
        for message in messages:
            key = (message.topic, message.id)
            if key not in self._values:
                self._values[key] = message.value
                self.messages.append(message)
                receipt += Receipt(written=1)
            elif self._values[key] == message.value:
                receipt += Receipt(repeated=1)
            else:
                receipt += Receipt(conflicting=1)
        return receipt

    def _newest_epoch(self, stream: str) -> int:
        epochs = [one.epoch for one in self.stored.values() if one.stream == stream]
        return max(epochs, default=0)

    def interrupt(self) -> None:
        """Nothing here waits."""

    def close(self) -> None:
        """Keeps everything."""
