"""What is watched in a zone: a class, whether anything is there, a condition of an alert.

What was measured of a frame -> a reading; a stay and its change -> what a record says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from operators.places.alert import Alert
from operators.zones.measure import Measured
from operators.zones.stay import Change, Patience, Reading, Stay


class Said(NamedTuple):
    """One record, but for its frame.

    Attributes:
        topic: of the operator's.
        part: what tells it from others of its frame and topic, `Result.part`.
        value: JSON values.
    """

    topic: str
    part: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a class counts as being in a zone.

    Attributes:
        enter: least share of the zone's area to begin.
        leave: least share to go on, at most `enter`.
        min_s: seconds that it has to be there before it counts, and away before it is gone.
        dwell_s: seconds after which its stay is a dwell.
    """

    enter: float
    leave: float
    min_s: float
    dwell_s: float


@dataclass(frozen=True, slots=True)
class Class:
    """A class by its name, and every id that is called so."""

    name: str
    ids: tuple[int, ...]


class Watched(Protocol):
    """One thing in one zone that can stay there."""

    @property
    def key(self) -> str:
        """Of its stay."""

    @property
    def zone(self) -> str:
        """Where."""

    @property
    def patience(self) -> Patience:
        """How long is long enough."""

    def read(self, measured: Measured) -> Reading:
        """What a frame says of it."""

    def said(self, stay: Stay, change: Change, *, cut: bool = False) -> Said | None:
        """What a record says of a change; None: there is none.

        Args:
            stay: with the frame that changed it.
            change: what changed.
            cut: it did not end, but its stream broke or ended here.
        """


@dataclass(frozen=True, slots=True)
class Presence:
    """A class in a zone."""

    zone: str
    label: Class
    thresholds: Thresholds

    @property
    def key(self) -> str:
        return f"{self.zone}.{self.label.ids[0]}"

    @property
    def patience(self) -> Patience:
        own = self.thresholds
        return Patience(own.min_s, own.min_s, own.dwell_s)

    def read(self, measured: Measured) -> Reading:
        return _present(measured, self.label.ids, self.thresholds)

    def said(self, stay: Stay, change: Change, *, cut: bool = False) -> Said:
        kind = {Change.BEGUN: "entered", Change.DWELT: "dwell", Change.ENDED: "left"}[change]
        return _episode(self.key, kind, self.zone, self.label.name, stay, cut)


@dataclass(frozen=True, slots=True)
class Occupancy:
    """All classes that count in a zone, together."""

    zone: str
    labels: tuple[Class, ...]
    thresholds: Thresholds

    @property
    def key(self) -> str:
        return self.zone

    @property
    def patience(self) -> Patience:
        return Patience(self.thresholds.min_s, self.thresholds.min_s)

    def read(self, measured: Measured) -> Reading:
        ids = tuple(one for label in self.labels for one in label.ids)
        return _present(measured, ids, self.thresholds)

    def said(self, stay: Stay, change: Change, *, cut: bool = False) -> Said | None:
        if change is not Change.ENDED:
            return None
        return _episode(self.key, "occupancy", self.zone, None, stay, cut)


@dataclass(frozen=True, slots=True)
class Alarm:
    """The condition of an alert.

    Attributes:
        ids: of the class that it is about; None: of all.
    """

    alert: Alert
    ids: tuple[int, ...] | None

    @property
    def key(self) -> str:
        return f"alert:{self.alert.name}"  # no class of a zone of that name

    @property
    def zone(self) -> str:
        return self.alert.zone

    @property
    def patience(self) -> Patience:
        return Patience(self.alert.for_s, self.alert.for_s)

    def read(self, measured: Measured) -> Reading:
        ids, over = self.ids, self.alert.share_over
        nearest_m = measured.metres.nearest if ids is None else measured.nearest_m(ids)
        if over is not None and ids is not None:
            share = measured.share(ids)
            return Reading(share, share > over, share > over, nearest_m)
        below_m = self.alert.nearest_below_m
        holds = nearest_m is not None and below_m is not None and nearest_m < below_m
        return Reading(-nearest_m if nearest_m is not None else 0.0, holds, holds, nearest_m)

    def said(self, stay: Stay, change: Change, *, cut: bool = False) -> Said:
        alert, ends = self.alert, change is Change.ENDED
        peak = {"nearest_m": -stay.peak} if alert.share_over is None else {"share": stay.peak}
        value = {
            "alert": alert.name,
            "zone": alert.zone,
            "label": alert.label,
            "share_over": alert.share_over,
            "nearest_below_m": alert.nearest_below_m,
            "for_s": alert.for_s,
            "phase": "ends" if ends else "begins",
            "start": stay.start.place,
            "end": stay.last.place if ends else None,
            "peak": {**peak, **stay.peak_at.place},
            "nearest_m": stay.nearest_m,
            "cut": cut,
        }
        return Said("zones.alerts", f"{alert.name}.{value['phase']}", value)


def _present(measured: Measured, ids: tuple[int, ...], thresholds: Thresholds) -> Reading:
    share = measured.share(ids)
    there = share > 0  # a threshold of 0 means any of it
    return Reading(
        share,
        there and share >= thresholds.enter,
        there and share >= thresholds.leave,
        measured.nearest_m(ids),
    )


def _episode(key: str, kind: str, zone: str, label: str | None, stay: Stay, cut: bool) -> Said:
    value = {
        "kind": kind,
        "zone": zone,
        "label": label,
        "start": stay.start.place,
        "end": stay.last.place,
        "peak": {"share": stay.peak, **stay.peak_at.place},
        "nearest_m": stay.nearest_m,
        "cut": cut,
    }
    return Said("zones.episodes", f"{key}.{kind}", value)
