"""Two live incarnations of one stream's writer, whose steps interleave in every way.

What lies in the sink must be as if the older one had ended when the newer began.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.broker_trial.node import Node
from benchmarks.broker_trial.writer import PREFIX, TOPIC
from benchmarks.cluster_trial.figure import Figure
from pipeline.errors import FencedError
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.sink import Reader, Sink
from pipeline.sinks.uri import open_reader, open_sink
from pipeline.stream.progress import Progress

JOB = "feedfacecafe"
INTERLEAVINGS = 200
STEPS = 12

Trace = Sequence[tuple[int, int]]  # epoch and sequence of every commit, as they lie in the sink


class Incarnation:
    """One writer; once it was refused it writes nothing until it claims again.

    Attributes:
        refused: how many of its commits were.
    """

    def __init__(self, sink: Sink, stream: str) -> None:
        self._sink = sink
        self._stream = stream
        self._progress: Progress | None = None
        self.refused = 0

    def claim(self) -> None:
        self._progress = self._sink.claim({self._stream: JOB})[self._stream]

    def commit(self) -> None:
        """The next one, unless another incarnation has taken the stream over."""
        if self._progress is None:
            return
        progress = replace(self._progress, sequence=self._progress.sequence + 1)
        who = [progress.epoch, progress.sequence]
        headers = {"ce_id": f"{self._stream}.{who[0]}.{who[1]}", "ce_epoch": str(who[0])}
        message = Message(TOPIC, self._stream, headers, json.dumps(who).encode())
        try:
            self._sink.commit([Commit([message], progress)])
            self._progress = progress
        except FencedError:
            self._progress = None
            self.refused += 1

    def close(self) -> None:
        self._sink.close()


def interleave(new_sink: Callable[[], Sink], stream: str, seed: int) -> int:
    """Claims and commits of two incarnations, one step of either after another, at random; how many
    commits were refused."""
    rng = random.Random(seed)
    both = [Incarnation(new_sink(), stream) for _ in range(2)]
    both[0].claim()
    for step in range(STEPS):
        one = rng.choice(both)
        if step == STEPS // 2 or rng.random() < 0.15:
            rng.choice(both).claim()
        one.commit()
    for one in both:
        one.close()
    return sum(one.refused for one in both)


def traces(reader: Reader) -> Mapping[str, Trace]:
    """Stream -> all that lies there, repeats and replaced writers too, which readers leave out."""
    found: dict[str, list[tuple[int, int]]] = {}
    for record in reader.records([TOPIC], repeats=True):
        epoch, sequence = json.loads(record.message.value)
        found.setdefault(record.message.key, []).append((epoch, sequence))
    return found


def kept(trace: Trace) -> bool:
    """No older epoch behind a newer one, and every commit once."""
    epochs = [epoch for epoch, _ in trace]
    sequences = [sequence for _, sequence in trace]
    return epochs == sorted(epochs) and sequences == [*range(1, len(trace) + 1)]


def run(trial: str, folder: Path, port: int) -> Iterator[Figure]:
    """The trial on a broker; arguments as of `three.run`."""
    node = Node(folder / "kafka", port)
    try:
        node.start()
        uri = f"{node.uri}?topic_prefix={PREFIX}"
        seeds = range(INTERLEAVINGS)
        refused = sum(interleave(lambda: open_sink(uri), f"stream-{seed}", seed) for seed in seeds)
        found = traces(open_reader(uri))
    finally:
        node.end()
    changes = sum(len({epoch for epoch, _ in trace}) - 1 for trace in found.values())
    told = f"{sum(map(len, found.values()))} commits, {changes} changes of epoch, {refused} refused"
    broken = sum(not kept(trace) for trace in found.values())
    yield Figure(f"of {len(found)} interleavings broken", broken, "", 0, told)


TRIALS = {"epochs": run}
