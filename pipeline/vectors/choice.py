"""Which vectors of a sink are wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.vectors.row import Row


@dataclass(frozen=True, slots=True)
class Choice:
    """Vectors of which all of this holds; what is None or empty is not asked.

    Attributes:
        streams: whose they are.
        variants: that they are of; of several variants they can be compared where one model made
            them.
        since_us: event time of the frame or later, microseconds since the epoch.
        until_us: before it.
    """

    streams: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    since_us: int | None = None
    until_us: int | None = None

    def takes(self, row: Row) -> bool:
        """Whether a row is one of them, its variant aside."""
        return (
            (not self.streams or row.series.stream in self.streams)
            and (self.since_us is None or row.time_us >= self.since_us)
            and (self.until_us is None or row.time_us < self.until_us)
        )

    def plain(self) -> Mapping[str, Any]:
        """As JSON values."""
        said = asdict(self)
        return {name: list(one) if isinstance(one, tuple) else one for name, one in said.items()}


EVERY = Choice()
