"""Zones, lines and alerts of a stream as a configuration says them -> `Places`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from operators.errors import UsageError
from operators.names import is_own
from operators.places.alert import Alert
from operators.places.name import refuse_name
from operators.places.places import Places
from operators.places.shapes import Line, Unit, Zone


def _place_name(name: str) -> str:
    refuse_name(name)
    return name


PlaceName = Annotated[str, AfterValidator(_place_name)]
Points = list[tuple[float, float]]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ZoneConfig(_Model):
    """A polygon, or a line, over a stream's picture."""

    polygon: Points | None = None
    line: Points | None = None
    unit: Unit = "shares"

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if (self.polygon is None) == (self.line is None):
            raise ValueError("want one of polygon and line, [[x, y], [x, y], ...]")
        self.shape("-")
        return self

    def shape(self, name: str) -> Zone | Line:
        """The same under its name.

        Raises:
            ValueError: it cannot be drawn.
        """
        if self.polygon is not None:
            return Zone(name, tuple(self.polygon), self.unit)
        return Line(name, tuple(self.line or ()), self.unit)


class AlertConfig(_Model):
    """A condition that is told of when it has lasted."""

    zone: str
    label: str | None = None
    share_over: float | None = None
    nearest_below_m: float | None = None
    for_s: float = 0.0

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        self.alert("-")
        return self

    def alert(self, name: str) -> Alert:
        """The same under its name.

        Raises:
            ValueError: it is no condition.
        """
        return Alert(name, self.zone, self.label, self.share_over, self.nearest_below_m, self.for_s)


def places_of(
    stream: str,
    zones: Mapping[str, ZoneConfig],
    alerts: Mapping[str, AlertConfig],
    operators: Collection[str],
) -> Places | None:
    """All that was drawn over a stream; None where nothing was.

    Args:
        stream: its name.
        zones: zones and lines.
        alerts: about zones.
        operators: keys of those that run on it.

    Raises:
        UsageError: an alert is about a zone that is not there, or nobody reads what was drawn.
    """
    if not zones and not alerts:
        return None
    if "zones" not in operators and (alerts or not any(map(_may_read, operators))):
        key = "alerts" if alerts else "zones"
        raise UsageError(
            f"streams.{stream}.{key}: the operator zones tells of them, and it does not run on "
            "this stream; add it to operators, or leave them out"
        )
    shapes = [one.shape(name) for name, one in zones.items()]
    try:
        return Places(
            tuple(one for one in shapes if isinstance(one, Zone)),
            tuple(one for one in shapes if isinstance(one, Line)),
            tuple(one.alert(name) for name, one in alerts.items()),
        )
    except ValueError as error:
        raise UsageError(f"streams.{stream}: {error}") from None


def _may_read(operator: str) -> bool:
    """Zones and lines, as far as a name tells."""
    return operator in ("zones", "track") or is_own(operator)
