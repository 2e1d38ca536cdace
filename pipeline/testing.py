"""Test doubles for whoever writes an operator or a sink: a list for a sink, a clock set by hand.

The synthetic source is `synthetic:room`, which every command takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.errors import FencedError
from pipeline.progress import Progress
from pipeline.sinks.sink import Message, Receipt


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

    def claim(
        self, job: str, streams: Sequence[str], *, fresh: bool = False
    ) -> dict[str, Progress]:
        claimed = {}
        for stream in streams:
            before = self.stored.get((job, stream), Progress(job, stream))
            kept = Progress(job, stream) if fresh else before
            claimed[stream] = self.stored[job, stream] = replace(kept, epoch=before.epoch + 1)
        return claimed

    def commit(self, messages: Sequence[Message], progress: Progress) -> Receipt:
        stored = self.stored[progress.job, progress.stream]
        if progress.epoch < stored.epoch:
            raise FencedError(f"epoch {progress.epoch} is older than {stored.epoch}")
        if progress.epoch == stored.epoch and progress.sequence <= stored.sequence:
            return Receipt(repeated=len(messages))
        self.stored[progress.job, progress.stream] = progress
        return self.publish(messages)

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

    def close(self) -> None:
        """Keeps everything."""
