"""What one operator says of the frames of a batch, and what becomes of those that it fails on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operators.batch_operator import BatchOperator
from operators.frames import Features, FrameInfo
from operators.operator import Operator, StreamOperator
from operators.result import Result
from pipeline.engine.lane import Lane

if TYPE_CHECKING:
    from operators.fetch import Fetch

Lanes = Mapping[str, Lane]


@dataclass(frozen=True, slots=True)
class Speaker:
    """An operator and a batch, and what it has computed of that on a GPU: there a frame that is
    said by itself has to be of the same pass, since another shape may round otherwise."""

    operator: Operator
    features: Features
    fetch: Fetch | None

    def infos(self, rows: Sequence[int]) -> list[FrameInfo]:
        return [self.features.infos[row] for row in rows]

    def say(self, rows: Sequence[int]) -> list[Result] | Exception:
        """Results of some frames, in their order, or what it fails with: what single frames fail
        with later has nothing to do with that, nor with the call that caught it."""
        try:
            if self.fetch and isinstance(self.operator, BatchOperator):
                return self.fetch.say(self.operator, rows)
            return self.operator(self.features.take(rows))
        except Exception as error:
            return error


def bury(speaker: Speaker, rows: Sequence[int], error: Exception, lanes: Lanes) -> None:
    """Find the frames that cannot be done; of an operator that remembers, the streams."""
    if isinstance(speaker.operator, StreamOperator):
        _bury_streams(speaker, speaker.operator, rows, error, lanes)
        return
    for row in rows:
        (info,) = speaker.infos([row])
        said = speaker.say([row])
        if isinstance(said, Exception):
            lanes[info.stream].bury(speaker.operator, info, said)
        else:
            deliver(speaker.operator, [info], said, lanes)


def _bury_streams(
    speaker: Speaker,
    operator: StreamOperator,
    rows: Sequence[int],
    error: Exception,
    lanes: Lanes,
) -> None:
    """Its memory of every stream of the batch may be torn and is given up; then each is tried by
    itself, so that one costs no other more than that."""
    own: dict[str, list[int]] = {}
    for row, info in zip(rows, speaker.infos(rows), strict=True):
        own.setdefault(info.stream, []).append(row)
    for stream in own:
        operator.reset(stream, "error")
        lanes[stream].forget(operator)
    for stream, those in own.items():
        said = speaker.say(those) if len(own) > 1 else error
        if isinstance(said, Exception):
            operator.reset(stream, "error")
            for info in speaker.infos(those):
                lanes[stream].bury(operator, info, said)
        else:
            deliver(operator, speaker.infos(those), said, lanes)


def deliver(
    operator: Operator, infos: Sequence[FrameInfo], results: Sequence[Result], lanes: Lanes
) -> None:
    """Hand every lane its frames and results."""
    said: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        said[result.info.stream].append(result)
    taken: dict[str, list[FrameInfo]] = defaultdict(list)
    for info in infos:
        taken[info.stream].append(info)
    for stream, own in taken.items():
        lanes[stream].take(operator, own, said[stream])
