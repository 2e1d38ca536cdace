"""What an engine gives up while it is too slow, carried out on the lanes of its cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.engine.lane import Lane
from pipeline.engine.overload import Overload


class Relief:
    """Of one shard. Cameras of the highest priority among them are spared, unless all have it;
    recordings wait, as live streams that block do, and are no reason to give up anything."""

    def __init__(self, lanes: Mapping[str, Lane], steps: Sequence[str]) -> None:
        """
        Args:
            lanes: stream -> lane, of those that are open; they come and go meanwhile.
            steps: see `Overload`: names of operators, and `HALF`.
        """
        self._lanes = lanes
        self._overload = Overload(steps)

    def see(self, late: bool, now_s: float) -> list[str]:
        """See `Overload.see`; streams for which something has changed, and which have that to
        tell."""
        return self._carry_out() if self._overload.see(late, now_s) else []

    def rest(self, now_s: float) -> list[str]:
        """The same of `Overload.rest`."""
        return self._carry_out() if self._overload.rest(now_s) else []

    def regard(self) -> list[str]:
        """Lanes have come or gone; the same of that. Where nothing is given up nobody has to be
        looked at, of a thousand that come or go one by one."""
        return self._carry_out() if self._overload.given_up else []

    def repeat(self) -> None:
        """A batch is done that was launched before the last change: what resting operators
        remember of it is forgotten as well."""
        for lane in self._lanes.values():
            _forget(lane)

    def _carry_out(self) -> list[str]:
        """Have every camera's lane give up what is to be given up now."""
        live = [lane for lane in self._lanes.values() if lane.live]
        cameras = [lane for lane in live if lane.spec.drop != "block"]
        priorities = {lane.spec.priority for lane in cameras}
        changed = []
        for lane in cameras:
            spared = len(priorities) > 1 and lane.spec.priority == max(priorities)
            if news := lane.shortfall.give_up(() if spared else self._overload.given_up):
                lane.tell(news)
                _forget(lane)
                changed.append(lane.stream)
        return changed


def _forget(lane: Lane) -> None:
    """Nothing follows what resting operators remember."""
    for operator in lane.shortfall.resting:
        lane.forget(operator, operator.reset(lane.stream, "overload"))
