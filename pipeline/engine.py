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
from pipeline.batching import Batch
from pipeline.lane import Lane
from pipeline.placement import Placement

if TYPE_CHECKING:
    from operators.backbone import Backbone

log = logging.getLogger(__name__)

Lanes = Mapping[str, Lane]


class Engine:
    """Backbone and operators on one device."""

    def __init__(self, backbone: Backbone, placements: Sequence[Placement]) -> None:
        self.backbone = backbone
        self.placements = placements
        for placement in placements:
            placement.operator.load(backbone.device, backbone.dtype)

    @property
    def batch_size(self) -> int:
        return self.backbone.batch_size

    def step(self, batch: Batch, lanes: Lanes) -> None:
        """Run a batch through backbone and operators and hand every lane its share."""
        features = self.backbone(batch.frames)
        for placement in self.placements:
            rows = [row for row, mask in enumerate(batch.taken) if placement.takes(mask)]
            for run in _unbroken(placement, features, rows, lanes):
                _apply(placement, features.take(run), lanes)
        for stream, frames in Counter(info.stream for info in features.infos).items():
            lanes[stream].release(frames)

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
        if lane.takes(placement, info) and operator:
            if run:
                yield run
            lane.forget(placement, operator.reset(info.stream, "gap"))
            run = []
        run.append(row)
    if run:
        yield run


def _apply(placement: Placement, features: Features, lanes: Lanes) -> None:
    try:
        results = placement.operator(features)
    except Exception as error:
        log.error("operator %s failed on a batch: %r", placement.name, error)
        _bury(placement, features, error, lanes)
        return
    _deliver(placement, features.infos, results, lanes)


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
