"""Places of one stream: zones and lines over its picture, and alerts about what is in them.

JSON there and back, and a hash that records' identity goes by. Importable without torch, because
configurations and readers of records use it too.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from operator import attrgetter
from typing import Any, Self

from operators.places.alert import Alert
from operators.places.polygon import Point
from operators.places.shapes import Line, Zone
from operators.result import canonical_json


@dataclass(frozen=True, slots=True)
class Places:
    """All of one stream, each kind in the order of its names, so that equal ones have one hash."""

    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    alerts: tuple[Alert, ...] = ()

    def __post_init__(self) -> None:
        for kind in ("zones", "lines", "alerts"):
            in_order = sorted(getattr(self, kind), key=attrgetter("name"))
            object.__setattr__(self, kind, tuple(in_order))
        zones, lines = [zone.name for zone in self.zones], [line.name for line in self.lines]
        _refuse_two("zone or line", zones + lines)
        _refuse_two("alert", [alert.name for alert in self.alerts])
        for alert in self.alerts:
            if alert.zone not in zones:
                raise ValueError(f"alert {alert.name}: {_unknown(alert.zone, zones)}")

    @property
    def hash(self) -> str:
        """12 hex of all that is drawn here."""
        return hashlib.sha256(canonical_json(self.to_json())).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(
            tuple(Zone(**{**one, "points": _points(one)}) for one in said["zones"]),
            tuple(Line(**{**one, "points": _points(one)}) for one in said["lines"]),
            tuple(Alert(**one) for one in said["alerts"]),
        )


def _refuse_two(kind: str, names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"two are called {name}: give each {kind} its own name")


def _points(said: Mapping[str, Any]) -> tuple[Point, ...]:
    return tuple((x, y) for x, y in said["points"])


def _unknown(zone: str, zones: Sequence[str]) -> str:
    near = get_close_matches(zone, zones, n=1)
    known = f"did you mean {near[0]}?" if near else f"zones: {', '.join(zones) or 'none'}"
    return f"there is no zone {zone!r}; {known}"
