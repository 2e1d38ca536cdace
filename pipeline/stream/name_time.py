"""A time as a file's name says it -> microseconds since the epoch. Pure.

A wall clock's hour is missing in spring and comes twice in autumn; a name cannot tell which one it
means, so such a time is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DIRECTIVES = {
    **{"Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{2}", "d": r"\d{2}", "j": r"\d{3}"},
    **{"H": r"\d{2}", "I": r"\d{2}", "p": r"[AaPp][Mm]", "M": r"\d{2}", "S": r"\d{2}"},
    **{"f": r"\d{1,6}", "s": r"\d{9,10}", "z": r"[+-]\d{2}:?\d{2}|Z"},
}
"""What may stand behind `%` in a layout -> its digits."""

_DATES = frozenset("Yymdjs")
_DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of an IANA name; None of "".

    Raises:
        ValueError: it is not known on this machine.
    """
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"there is no time zone {name!r} on this machine; want UTC or one like Europe/Berlin "
            "(of the system's tzdata)"
        ) from None


@dataclass(frozen=True)
class LocalTime:
    """Attributes:
    said: directive -> what stands there.
    timezone: IANA name of the zone; "" where it says its own.
    """

    said: Mapping[str, str]
    timezone: str

    def epoch_us(self, after: LocalTime | None = None) -> int:
        """Microseconds since the epoch.

        Args:
            after: of a pair, the first: what this one leaves out is that one's, and what would
                come before it is a day later.

        Raises:
            ValueError: there was no such time, or it came twice.
        """
        if after is None:
            return self._at(self.wall)
        said = {**after.said, **self.said}
        if "f" not in self.said and "S" in self.said:
            said.pop("f", None)
        whole = LocalTime(said, self.timezone)
        later = not _DATES & self.said.keys() and whole.wall < after.wall
        return whole._at(whole.wall + _DAY * later)

    @cached_property
    def wall(self) -> datetime:
        """As the clock on the wall had it, as if that were UTC, without the fraction."""
        said = self.said
        if "s" in said:
            return datetime.fromtimestamp(int(said["s"]), UTC)
        year = int(said["Y"]) if "Y" in said else 2000 + int(said["y"])
        month, day = (1, 1) if "j" in said else (int(said["m"]), int(said["d"]))
        clock = (self._hour, int(said.get("M", 0)), int(said.get("S", 0)))
        try:
            wall = datetime(year, month, day, *clock, tzinfo=UTC)
        except ValueError as error:
            raise ValueError(f"names no time: {error}") from None
        return wall + _DAY * (int(said.get("j", 1)) - 1)

    @property
    def _hour(self) -> int:
        if "I" not in self.said:
            return int(self.said.get("H", 0))
        afternoon = self.said.get("p", "am").lower() == "pm"
        return int(self.said["I"]) % 12 + 12 * afternoon

    @property
    def _fraction_us(self) -> int:
        return int(self.said.get("f", "0").ljust(6, "0"))

    def _at(self, wall: datetime) -> int:
        return int(self._moment(wall).timestamp()) * 1_000_000 + self._fraction_us

    def _moment(self, wall: datetime) -> datetime:
        if "s" in self.said:
            return wall
        if "z" in self.said:
            return wall.replace(tzinfo=_offset(self.said["z"]))
        first = wall.replace(tzinfo=zone_of(self.timezone))
        if first.utcoffset() == first.replace(fold=1).utcoffset():
            return first
        text = f"{wall:%Y-%m-%d %H:%M}"
        back = first.astimezone(UTC).astimezone(first.tzinfo)
        if back.replace(tzinfo=UTC) != wall:
            raise ValueError(f"{text} was not in {self.timezone}: clocks went forward over it")
        raise ValueError(
            f"{text} was twice in {self.timezone}: clocks went back, and which of the two it is "
            "the name does not say; add %z, or name a zone without summer time for such files"
        )


def _offset(text: str) -> timezone:
    found = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if found is None:
        return UTC
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-size if found[1] == "-" else size)
