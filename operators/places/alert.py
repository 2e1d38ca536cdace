"""What is worth a record of its own, as somebody declared it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from operators.places.name import refuse_name


@dataclass(frozen=True, slots=True)
class Alert:
    """What is worth a record of its own when it has lasted: one of two conditions.

    Attributes:
        name: no other alert's of the stream.
        zone: where, by its name.
        label: class that it is about; None: all of them, of the nearest metre alone.
        share_over: the class covers more than this share of the zone's area.
        nearest_below_m: the nearest of it is nearer than so many metres.
        for_s: for so many seconds.
    """

    name: str
    zone: str
    label: str | None = None
    share_over: float | None = None
    nearest_below_m: float | None = None
    for_s: float = 0.0

    def __post_init__(self) -> None:
        refuse_name(self.name)
        if (self.share_over is None) == (self.nearest_below_m is None):
            raise ValueError("want one of share_over and nearest_below_m")
        if self.share_over is not None and self.label is None:
            raise ValueError("share_over wants a label: the class of which the share is")
        if self.share_over is not None and not 0 <= self.share_over < 1:
            raise ValueError(f"share_over should be from 0 to below 1, got {self.share_over}")
        if self.nearest_below_m is not None and not 0 < self.nearest_below_m < inf:
            raise ValueError(f"nearest_below_m should be metres, got {self.nearest_below_m}")
        if not 0 <= self.for_s < inf:
            raise ValueError(f"for_s should be seconds, got {self.for_s}")
