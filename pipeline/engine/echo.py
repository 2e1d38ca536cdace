"""What operators say of frames that are not computed, because they show what the last one did."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from operators.frames import FrameInfo
from operators.operator import Operator, StreamOperator
from operators.result import Result
from pipeline.engine.lane import Lane
from pipeline.stream.chunk import Frames

Tell = Callable[[str, Exception], None]


def echo(operators: Sequence[Operator], frames: Frames, lane: Lane, tell: Tell) -> None:
    """Hand a lane its run of frames that repeat one.

    Args:
        operators: of the engine.
        frames: the run, whose `repeats` is what the lane has seen computed last.
        lane: of their stream.
        tell: hears who failed, and with what.
    """
    for info, mask in zip(frames.infos, frames.taken, strict=True):
        given = [one for one in operators if lane.shortfall.gives(one, info, mask)]
        told = [one.name for one in given if _holds(one, info, mask, lane, tell)]
        lane.still.add(info, told)
    lane.release(len(frames.infos))


def _holds(operator: Operator, info: FrameInfo, taken: int, lane: Lane, tell: Tell) -> bool:
    """Whether an operator's records of the computed frame hold for this one, too."""
    if not lane.still.holds(operator.name):
        lane.pass_over(operator)
        return False
    (is_gap,) = lane.count_sampled(operator, [info])
    if not isinstance(operator, StreamOperator):
        return lane.repeat(operator, info)
    if is_gap:
        lane.forget(operator, operator.reset(info.stream, "gap"))
    results: Sequence[Result] = ()
    if lane.still.holds(operator.name):
        try:
            results = operator.repeat_taken(info, taken)
        except Exception as error:
            tell(f"operator {operator.name}", error)
            operator.reset(info.stream, "error")
            lane.forget(operator)
            lane.bury(operator, info, error)
            return False
    return lane.repeat(operator, info, results)
