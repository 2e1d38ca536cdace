"""One pass of the backbone, then every operator: batches in, results to the lanes.

`step` is the whole of it. Knows nothing of processes, decoding or sinks.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from operators.frames import Features, FrameInfo
from operators.result import Result
from pipeline.engine.batching import Batch
from pipeline.engine.lane import Lane
from pipeline.engine.observer import BACKBONE, Observer
from pipeline.engine.placement import Placement
from pipeline.trace import detail, trace

if TYPE_CHECKING:
    from operators.backbones.backbone import Backbone

log = logging.getLogger(__name__)

Lanes = Mapping[str, Lane]
MOST_FAILURES = 20  # ways to fail that are told with a traceback


class Engine:
    """Backbone and operators on one device.

    Attributes:
        failures: how operators failed, each way once, with the calls that led there. Where an
            engine is a process of its own its log is not what a person sees.
    """

    def __init__(self, backbone: Backbone, placements: Sequence[Placement]) -> None:
        self.backbone = backbone
        self.placements = placements
        self.failures: list[str] = []
        self._known: set[tuple[str, str]] = set()
        for placement in placements:
            placement.operator.load(backbone.device, backbone.dtype)

    @property
    def batch_size(self) -> int:
        return self.backbone.batch_size

    def step(self, batch: Batch, lanes: Lanes, observer: Observer) -> None:
        """Run a batch through backbone and operators and hand every lane its share."""
        with observer.stage(BACKBONE, len(batch.frames.infos)):
            features = self.backbone(batch.frames)
        for placement in self.placements:
            rows = [row for row, mask in enumerate(batch.taken) if placement.takes(mask)]
            with observer.stage(placement.name, len(rows)):
                for run in _unbroken(placement, features, rows, lanes):
                    self._apply(placement, features.take(run), lanes)
        for stream, frames in Counter(info.stream for info in features.infos).items():
            lanes[stream].release(frames)

    def _apply(self, placement: Placement, features: Features, lanes: Lanes) -> None:
        try:
            results = placement.operator(features)
        except Exception as error:
            failure = error
        else:
            _deliver(placement, features.infos, results, lanes)
            return
        # Outside of `except`: what single frames fail with has nothing to do with their batch.
        self._tell(placement, failure)
        _bury(placement, features, failure, lanes)

    def _tell(self, placement: Placement, error: Exception) -> None:
        """With a traceback the first time that an operator fails in this way, not at every frame of
        a camera."""
        said = f"operator {placement.name} failed on a batch: {type(error).__name__}"
        calls = trace(error)
        way = (placement.name, calls)
        new = way not in self._known and len(self._known) < MOST_FAILURES
        log.error("%s: %s", said, detail(error), exc_info=error if new else None)
        if new:
            self._known.add(way)
            self.failures.append(f"{said}: {detail(error)}\n{calls}")

    def close(self) -> None:
        for placement in self.placements:
            placement.operator.close()
        self.backbone.close()


def _unbroken(
    placement: Placement, features: Features, rows: Sequence[int], lanes: Lanes
) -> Iterator[list[int]]:
    """Rows in runs without a gap inside; between two runs a stream is reset.

    A generator on purpose: the caller has applied a run when it asks for the next one.
    """
    operator = placement.remembers
    run: list[int] = []
    for row in rows:
        info = features.infos[row]
        lane = lanes[info.stream]
        if lane.count_sampled(placement, info) and operator:
            if run:
                yield run
            lane.forget(placement, operator.reset(info.stream, "gap"))
            run = []
        run.append(row)
    if run:
        yield run


def _bury(placement: Placement, features: Features, error: Exception, lanes: Lanes) -> None:
    """Find the frames that cannot be done; a memory that may be torn is given up instead."""
    if operator := placement.remembers:
        for info in features.infos:
            lanes[info.stream].bury(placement, info, error)
        for stream in dict.fromkeys(info.stream for info in features.infos):
            operator.reset(stream, "error")
            lanes[stream].forget(placement)
        return
    for row, info in enumerate(features.infos):
        try:
            results = placement.operator(features.take([row]))
        except Exception as own_error:
            lanes[info.stream].bury(placement, info, own_error)
        else:
            _deliver(placement, (info,), results, lanes)


def _deliver(
    placement: Placement, infos: Sequence[FrameInfo], results: Sequence[Result], lanes: Lanes
) -> None:
    """Hand every lane its frames and results."""
    for stream in dict.fromkeys(info.stream for info in infos):
        lanes[stream].take(
            placement,
            [info for info in infos if info.stream == stream],
            [result for result in results if result.info.stream == stream],
        )
