"""Who or what is in a zone, how near and since when: maps of the same pass in -> facts out.

Reads what segmentation and depth compute of a frame; brings no weights of its own. Metres are
there where depth is metric: relative depth has none, and guesses are not published.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from operators.batch_operator import BatchOperator
from operators.depth.calibrated import CalibratedDepth
from operators.depth.operator import Depth
from operators.errors import Absent, UsageError
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.operator import Operator, StreamOperator
from operators.places.alert import Alert
from operators.places.places import Places
from operators.result import Result
from operators.segmentation.operator import Segmentation
from operators.settings import Settings
from operators.weights.head_request import HeadRequest
from operators.zones.drawn import Drawn
from operators.zones.findable import Findable
from operators.zones.measure import Measured
from operators.zones.memory import Memory, record
from operators.zones.watched import Alarm, Class, Occupancy, Presence, Said, Thresholds

if TYPE_CHECKING:
    from operators.batch_operator import Numbers

log = logging.getLogger(__name__)

ENTER, LEAVE = 0.05, 0.03  # shares of a zone
MIN_S, DWELL_S = 1.0, 10.0
MIN_SHARE = 0.005
MOST_S = 86_400.0

_OF_A_MAP = 2  # a segmentation's numbers: the classes, and whether they are sound


class Zones(BatchOperator, StreamOperator):
    """What is in the zones of every stream."""

    name = "zones"
    topics = BUILT_IN["zones"]
    placed = True

    def __init__(
        self,
        classes: Sequence[str],
        thresholds: Thresholds,
        *,
        min_share: float = MIN_SHARE,
        segmentation: Segmentation | None = None,
        depth: Depth | CalibratedDepth | None = None,
    ) -> None:
        """
        Args:
            classes: names of those that count as being in a zone.
            thresholds: when they do.
            min_share: smallest share of a zone that a class is told of with.
            segmentation: finds the classes; without one nothing can be said.
            depth: in metres; None: there are none.

        Raises:
            UsageError: the segmentation does not know such a class.
        """
        self._names = tuple(sorted(set(classes)))
        self._thresholds = thresholds
        self._min_share = min_share
        self._segmentation, self._depth = segmentation, depth
        self._drawn: dict[str, Drawn] = {}
        self._memory: dict[str, Memory] = {}
        self._classes: tuple[Class, ...] = ()
        if segmentation:
            where = "operators.zones.classes"
            self._classes = tuple(self._class(name, where) for name in self._names)
            read = [segmentation, *([depth] if depth else [])]
            self.layers = sorted({block for one in read for block in one.layers})
            self.untrained = any(one.untrained for one in read)
            self.rendered_only = any(one.rendered_only for one in read)

    def beside(self, operators: Mapping[str, Operator]) -> Zones:
        """The same zones, with the maps of a job.

        Raises:
            Absent: there is no segmentation.
            UsageError: it does not know a class.
        """
        segmentation, depth = operators.get(Segmentation.name), operators.get(Depth.name)
        if not isinstance(segmentation, Segmentation):
            need = "operators.zones: what is in a zone is found by"
            raise Absent(need, Segmentation.name, leave="zones")
        if not self._names:
            log.warning(
                "operators.zones.classes names none: zones and alerts are told of, and no episodes"
            )
        return Zones(
            self._names,
            self._thresholds,
            min_share=self._min_share,
            segmentation=segmentation,
            depth=depth if isinstance(depth, Depth | CalibratedDepth) else None,
        )

    @property
    def stream_hashes(self) -> Mapping[str, str]:
        """Stream -> hash of its depth's calibration, part of its records' variant."""
        return self._depth.stream_hashes if self._depth else {}

    @property
    def findable(self) -> Findable | None:
        """What alerts can be about; None: nothing is known yet."""
        if not self._segmentation:
            return None
        metric = self._depth is not None and self._depth.metric
        return Findable(self._segmentation.labels, metric, frozenset(self.stream_hashes))

    def settings(self) -> Mapping[str, Any]:
        own = {
            "classes": list(self._names),
            "min_share": self._min_share,
            **asdict(self._thresholds),
        }
        if not self._segmentation:
            return own
        said = self._segmentation.settings()
        found_by = {name: said[name] for name in ("labelset", "map_scale", "scales")}
        return own | {
            "segmentation": found_by | _made_by(self._segmentation),
            "depth": self._depth and {**self._depth.settings(), **_made_by(self._depth)},
        }

    def place(self, stream: str, places: Places | None) -> None:
        self._drawn.pop(stream, None)
        if places is None or not places.zones:
            log.warning("%s has no zones: the operator zones says nothing of it", stream)
            return
        present = [
            Presence(zone.name, one, self._thresholds)
            for zone in places.zones
            for one in self._classes
        ]
        occupied = [Occupancy(zone.name, self._classes, self._thresholds) for zone in places.zones]
        alarms = [self._alarm(stream, alert) for alert in places.alerts]
        self._drawn[stream] = Drawn(places, [*present, *occupied, *alarms])

    def compute(self, features: Features, rows: slice) -> Numbers:
        if not self._segmentation:
            raise ValueError("nothing finds what is in a zone")
        found = self._segmentation.shared(features, rows)
        return (*found, *self._depth.shared(features, rows)) if self._depth else found

    def say_all(
        self, infos: Sequence[FrameInfo], numbers: Sequence[Sequence[NDArray[Any]]]
    ) -> list[Result]:
        for info, (_, finite, *depth) in zip(infos, numbers, strict=True):  # before any is taken in
            require_finite(finite, info, operator=self.name)
            if depth:
                require_finite(depth[1], info, operator=self.name)
        return super().say_all(infos, numbers)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        drawn = self._drawn.get(info.stream)
        if not drawn or not self._segmentation:
            return []
        depth = numbers[_OF_A_MAP:]
        metres = self._depth.in_metres(info, *depth) if self._depth else None
        measured = drawn.measure(numbers[0], metres, info.source_hw)
        memory = self._memory.setdefault(info.stream, Memory())
        told = memory.take(info, drawn.watched, measured)
        outlines = drawn.outlines(info.source_hw)
        zones = [self._zone(name, outlines[name], one, memory) for name, one in measured.items()]
        return self._records(info, [Said(self.name, "", {"zones": zones}), *told])

    def repeat(self, info: FrameInfo) -> list[Result]:
        memory, drawn = self._memory.get(info.stream), self._drawn.get(info.stream)
        return self._records(info, memory.repeat(info, drawn.watched)) if memory and drawn else []

    def reset(self, stream: str, reason: str) -> list[Result]:
        memory, drawn = self._memory.pop(stream, None), self._drawn.get(stream)
        if memory is None or memory.last is None or drawn is None:
            return []
        return self._records(memory.last, memory.cut(drawn.watched))

    def snapshot(self, stream: str) -> bytes:
        return self._memory.get(stream, Memory()).snapshot()

    def restore(self, stream: str, state: bytes) -> None:
        self._memory[stream] = Memory.restored(state)

    def _zone(
        self, name: str, outline: list[list[float]], measured: Measured, memory: Memory
    ) -> dict[str, Any]:
        """What the snapshot of a frame says of one zone."""
        assert self._segmentation
        labels = self._segmentation.labels.labels
        there = sorted(measured.shares.items(), key=lambda one: (-one[1], one[0]))
        return {
            "zone": name,
            "outline": outline,
            "occupied": [
                one.name
                for one in self._classes
                if memory.has_begun(Presence(name, one, self._thresholds).key)
            ],
            "nearest_m": measured.metres.nearest,
            "median_m": measured.metres.median,
            "classes": [
                {
                    "id": number,
                    "name": labels[number].name,
                    "share": share,
                    "nearest_m": measured.metres_of(number).nearest,
                    "median_m": measured.metres_of(number).median,
                }
                for number, share in there
                if share >= self._min_share
            ],
        }

    def _records(self, info: FrameInfo, said: Sequence[Said]) -> list[Result]:
        assert self._segmentation
        return [record(info, one, self._segmentation.labels.name) for one in said]

    def _alarm(self, stream: str, alert: Alert) -> Alarm:
        where = f"streams.{stream}.alerts.{alert.name}"
        return Alarm(alert, None if alert.label is None else self._class(alert.label, where).ids)

    def _class(self, name: str, where: str) -> Class:
        assert self._segmentation
        return Class(name, self._segmentation.labels.ids(name, where))


def _made_by(operator: Operator) -> dict[str, Any]:
    """Of another operator's numbers: which code and which head."""
    return {"version": operator.version, "head": operator.head_sha256}


def build_zones(settings: Mapping[str, Any], request: HeadRequest) -> Zones:
    """Zones as a user configured them; `Zones.beside` makes them ready for a job.

    Args:
        settings: `classes`, `enter`, `leave`, `min_s`, `dwell_s`, `min_share`.
        request: not read: zones have no head.

    Raises:
        UsageError: a setting does not do.
    """
    names = ("classes", "enter", "leave", "min_s", "dwell_s", "min_share")
    given = Settings("zones", settings, names)
    thresholds = Thresholds(
        given.share("enter", ENTER),
        given.share("leave", min(LEAVE, given.share("enter", ENTER))),
        given.number("min_s", MIN_S, low=0, high=MOST_S),
        given.number("dwell_s", DWELL_S, low=0, high=MOST_S),
    )
    if thresholds.leave > thresholds.enter:
        raise UsageError(
            f"operator zones: leave must be at most enter, got {thresholds.leave} and "
            f"{thresholds.enter}"
        )
    min_share = given.share("min_share", MIN_SHARE)
    return Zones(given.names("classes"), thresholds, min_share=min_share)
