"""One pass of the backbone, then every operator: batches in, results to the lanes.

`launch` has a batch computed, `finish` says what came of it; on a GPU another batch may be launched
between the two. Knows nothing of processes, decoding or sinks.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from operators.batch_operator import BatchOperator
from operators.frames import Features, FrameBatch, FrameInfo
from operators.operator import Operator, StreamOperator
from pipeline.engine.batching import Batch
from pipeline.engine.echo import echo
from pipeline.engine.lane import Lane
from pipeline.engine.launched import Launched
from pipeline.engine.observer import BACKBONE, Observer
from pipeline.engine.reasons import brief
from pipeline.engine.speaker import Lanes, Speaker, bury, deliver
from pipeline.errors import RuntimeFailure
from pipeline.stream.chunk import Frames
from pipeline.trace import detail, trace

if TYPE_CHECKING:
    from operators.archive.backbone import KeptBackbone
    from operators.backbones.backbone import Backbone
    from operators.fetch import Fetch
    from operators.landing import Landing

log = logging.getLogger(__name__)

MOST_FAILURES = 20  # ways to fail that are told with a traceback


class Engine:
    """Backbone and operators on one device."""

    def __init__(self, backbone: Backbone | KeptBackbone, operators: Sequence[Operator]) -> None:
        self.backbone = backbone
        self.operators = operators
        self._known: set[tuple[str, str]] = set()
        self._landing: Landing | None = None
        self._frames: FrameBatch | None = None  # of the batch that is being finished
        for operator in operators:
            operator.load(backbone.device, backbone.dtype)

    @property
    def batch_size(self) -> int:
        return self.backbone.batch_size

    def launch(self, batch: Batch, lanes: Lanes, observer: Observer) -> Launched:
        """Have a batch computed. Which operators are given which of its frames is settled now.

        Raises:
            RuntimeFailure: the device has not enough memory for a batch.
        """
        try:
            with observer.stage(BACKBONE, len(batch.frames.infos)):
                features = self.backbone(batch.frames)
        except Exception as error:
            self._refuse(error)
            return Launched(batch, error)
        return self._launch_operators(batch, features, lanes, observer)

    def finish(self, launched: Launched, lanes: Lanes, observer: Observer) -> None:
        """Hand every lane its share of a batch; batches in the order in which they were launched.

        Raises:
            RuntimeFailure: the device has not enough memory for a batch.
            Exception: the backbone fails whatever it is given.
        """
        self._frames = launched.batch.frames
        for part in self._parts(launched, lanes, observer):
            if isinstance(part.seen, Exception):
                self._bury_frame(part.batch, part.seen, lanes)
            else:
                self._operate(part, part.seen, lanes, observer)
            infos = part.batch.frames.infos
            for stream, frames in Counter(info.stream for info in infos).items():
                lanes[stream].release(frames)

    def echo(self, frames: Frames, lane: Lane) -> None:
        """Hand a lane its frames that repeat one and are in no batch."""
        echo(self.operators, frames, lane, self._tell)

    def pixels_of(self, info: FrameInfo) -> NDArray[np.uint8] | None:
        """Of a frame of the batch that is being finished, as the backbone had it: `[H, W, 3]`; None
        of one that is not computed."""
        if self._frames is None or info not in self._frames.infos:
            return None
        pixels: NDArray[np.uint8] = self._frames.pixels[self._frames.infos.index(info)]
        return pixels

    def _parts(self, launched: Launched, lanes: Lanes, observer: Observer) -> Iterator[Launched]:
        """The batch, or, where the backbone fails on it, parts of it, each launched when those
        before it are done: a frame that it fails on alone comes with the error."""
        batch = launched.batch
        if not isinstance(launched.seen, Exception):
            yield launched
        elif len(batch.taken) > 1:
            for part in batch.halves():
                yield from self._parts(self.launch(part, lanes, observer), lanes, observer)
        else:
            seen = self._see_again(batch.frames)
            if isinstance(seen, Exception):
                yield Launched(batch, seen)
            else:
                yield self._launch_operators(batch, seen, lanes, observer)

    def _see_again(self, frame: FrameBatch) -> Features | Exception:
        """A frame that failed alone, after all, or what it fails with.

        Raises:
            Exception: an empty picture fails too: it is not the frame, and nothing may be buried.
        """
        try:
            return self.backbone(frame)
        except Exception as error:
            failure = error
        self.backbone(FrameBatch(frame.infos, np.zeros_like(frame.pixels)))
        return failure

    def _refuse(self, error: Exception) -> None:
        """What is the device's fault is no frame's. Smaller batches would be other shapes for a
        GPU's kernels, and so perhaps other bits.

        Raises:
            RuntimeFailure: it is.
        """
        from torch import AcceleratorError, OutOfMemoryError  # whoever had this error has torch

        if isinstance(error, AcceleratorError):
            raise self._failure(error) from error
        if isinstance(error, OutOfMemoryError):
            raise RuntimeFailure(
                f"{self.backbone.device} has not enough memory for batches of {self.batch_size} "
                f"frames: {brief(str(error))}; set batch_size lower, which makes other variants"
            ) from error

    def _launch_operators(
        self, batch: Batch, features: Features, lanes: Lanes, observer: Observer
    ) -> Launched:
        features = replace(features, taken=batch.taken)
        taken = {operator: _rows(operator, batch, lanes) for operator in self.operators}
        needed = [one for one, rows in taken.items() if rows and isinstance(one, BatchOperator)]
        return Launched(batch, features, taken, self._fetched(features, needed, observer))

    def _operate(
        self, launched: Launched, features: Features, lanes: Lanes, observer: Observer
    ) -> None:
        fetched = launched.fetched
        self._wait(fetched, observer)
        for operator, rows in launched.taken.items():
            fetch = fetched.get(operator) if isinstance(operator, BatchOperator) else None
            speaker = Speaker(operator, features, fetch)
            with observer.stage(operator.name, len(rows)):
                for run in _unbroken(operator, features, rows, lanes):
                    self._apply(speaker, run, lanes)
        for fetch in set(fetched.values()):
            fetch.close()

    def _fetched(
        self, features: Features, operators: Sequence[BatchOperator], observer: Observer
    ) -> dict[BatchOperator, Fetch]:
        """What operators compute of a batch on a GPU, all in one; where one fails, each by itself,
        and that one not at all: who asks it hears why."""
        if features.on_host or not operators:
            return {}
        from operators.fetch import Fetch  # whoever has these features has torch
        from operators.landing import Landing

        self._landing = self._landing or Landing(self.backbone.device)
        try:
            with observer.stage(BACKBONE):
                fetch = Fetch(features, operators, self._landing)
        except Exception as error:
            failure = error
        else:
            return dict.fromkeys(operators, fetch)
        self._refuse(failure)
        found: dict[BatchOperator, Fetch] = {}
        for one in operators if len(operators) > 1 else ():
            found |= self._fetched(features, [one], observer)
        return found

    def _wait(self, fetched: Mapping[BatchOperator, Fetch], observer: Observer) -> None:
        """Until all of it is on the host.

        Raises:
            RuntimeFailure: the device failed. That is no fault of a frame, and the features may be
                the next batch's by now, so nothing can be computed once more.
        """
        for fetch in dict.fromkeys(fetched.values()):
            try:
                with observer.stage(BACKBONE):
                    fetch.wait()
            except Exception as error:
                self._refuse(error)
                raise self._failure(error) from error

    def _failure(self, error: Exception) -> RuntimeFailure:
        return RuntimeFailure(f"{self.backbone.device} failed on a batch: {brief(str(error))}")

    def _bury_frame(self, batch: Batch, error: Exception, lanes: Lanes) -> None:
        """The backbone fails on a frame: so does every operator that would have taken it."""
        (info,), (mask,) = batch.frames.infos, batch.taken
        lane = lanes[info.stream]
        self._tell("the backbone", error)
        for operator in self.operators:
            if lane.shortfall.gives(operator, info, mask):
                lane.count_sampled(operator, [info])
                lane.bury(operator, info, error)
                if isinstance(operator, StreamOperator):  # what it remembers is whole
                    lane.forget(operator, operator.reset(info.stream, "error"))

    def _apply(self, speaker: Speaker, rows: Sequence[int], lanes: Lanes) -> None:
        said = speaker.say(rows)
        if isinstance(said, Exception):
            self._refuse(said)
            self._tell(f"operator {speaker.operator.name}", said)
            bury(speaker, rows, said, lanes)
        else:
            deliver(speaker.operator, speaker.infos(rows), said, lanes)

    def _tell(self, who: str, error: Exception) -> None:
        """With a traceback the first time that it fails in this way, not at every frame of a
        camera."""
        said = f"{who} failed on a batch: {type(error).__name__}"
        way = (who, trace(error))
        new = way not in self._known and len(self._known) < MOST_FAILURES
        log.error("%s: %s", said, detail(error), exc_info=error if new else None)
        if new:
            self._known.add(way)

    def close(self) -> None:
        for operator in self.operators:
            operator.close()
        self.backbone.close()


def _rows(operator: Operator, batch: Batch, lanes: Lanes) -> list[int]:
    """Rows of the frames that an operator is given."""
    taken = zip(batch.taken, batch.frames.infos, strict=True)
    return [
        row
        for row, (mask, info) in enumerate(taken)
        if lanes[info.stream].shortfall.gives(operator, info, mask)
    ]


def _unbroken(
    operator: Operator, features: Features, rows: Sequence[int], lanes: Lanes
) -> Iterator[list[int]]:
    """Rows in runs without a gap inside; between two runs a stream is reset.

    A generator on purpose: the caller has applied a run when it asks for the next one.
    """
    infos = features.infos
    run: list[int] = []
    for stream, of_stream in groupby(rows, lambda row: infos[row].stream):
        own, lane = list(of_stream), lanes[stream]
        gaps = lane.count_sampled(operator, [infos[row] for row in own])
        for row, is_gap in zip(own, gaps, strict=True):
            if is_gap and isinstance(operator, StreamOperator):
                if run:
                    yield run
                lane.forget(operator, operator.reset(stream, "gap"))
                run = []
            run.append(row)
    if run:
        yield run
