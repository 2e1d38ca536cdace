"""How a recorder names its files: a path -> whose it is, and when it begins and ends.

Pure: knows nothing of files. docs/decisions/footage.md says what a layout may hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from pipeline.stream.name_time import DIRECTIVES, LocalTime, zone_of

_PART = re.compile(
    r"\{\{|\}\}|\*|\{stream\}|\{(?P<which>time|end):(?P<format>[^{}]*)\}|(?P<wrong>[{}][^{}/]*\}?)"
)
_FORMAT = re.compile(r"\{(?:time|end):([^{}]*)\}")
_MOMENT = datetime(2026, 11, 30, 17, 5, tzinfo=UTC)
_DIRECTIVE = re.compile(r"%(-?[A-Za-z%])")
_STREAM = "stream"


class Named(NamedTuple):
    """What a file's name says.

    Attributes:
        stream: whose it is; "" where the layout does not ask.
        start_us: when it begins, microseconds since the epoch.
        end_us: when it ends; None where the layout does not ask.
    """

    stream: str
    start_us: int
    end_us: int | None


@dataclass(frozen=True)
class Layout:
    """Attributes:
    template: as it was written, such as `cam-{stream}/{time:%Y-%m-%d_%H-%M}.mp4`.
    timezone: IANA name of the zone that its times are in; "" where they say their own.
    """

    template: str
    timezone: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError: it makes no sense; says why."""
        given = {directive for which, directive in self._grammar.groups.values() if which == "time"}
        if not given:
            raise ValueError("a layout needs {time:FORMAT}, such as {time:%Y-%m-%d_%H-%M-%S}")
        if ("I" in given) != ("p" in given):
            raise ValueError("%I (12 hours) and %p (AM or PM) go together; %H has 24 hours")
        own = given & {"s", "z"}
        if not given & {"s"} and not ({"Y", "y"} & given and ("j" in given or {"m", "d"} <= given)):
            raise ValueError("its time names no day; want %Y, %m and %d (or %j), or %s")
        if not own and not self.timezone:
            raise ValueError(
                "its times are of no known zone; give timezone, such as Europe/Berlin or UTC"
            )
        if own and self.timezone:
            raise ValueError(f"timezone does nothing: %{min(own)} says the zone; leave one out")
        zone_of(self.timezone)

    @property
    def names_streams(self) -> bool:
        """It says whose a file is."""
        return "{stream}" in self.template

    @cached_property
    def depth(self) -> int:
        """Parts of the paths that it matches."""
        return self.template.count("/") + 1

    @cached_property
    def resolution_us(self) -> int:
        """What its times do not say, microseconds."""
        given = {directive for which, directive in self._grammar.groups.values() if which == "time"}
        units = (("f", 0), ("s", 1), ("S", 1), ("M", 60), ("H", 3600), ("I", 3600))
        seconds = next((seconds for name, seconds in units if name in given), 86_400)
        return seconds * 1_000_000

    @property
    def example(self) -> str:
        """A name that it matches."""
        dated = _FORMAT.sub(lambda found: _MOMENT.strftime(found[1]), self.template)
        named = dated.replace("{stream}", "gate").replace("*", "x")
        return named.replace("{{", "{").replace("}}", "}")

    def name_of(self, path: str) -> str:
        """The part of a file's path that it speaks of."""
        return "/".join(path.split("/")[-self.depth :])

    def read(self, name: str) -> Named | None:
        """What a name says; None: it is none of these.

        Args:
            name: path below the folder that the layout is of.

        Raises:
            ValueError: it names a time that was not, or that came twice.
        """
        found = self._grammar.pattern.fullmatch(name)
        if found is None:
            return None
        start = self._time(found.groupdict(), "time")
        start_us = start.epoch_us()
        end_us = None
        if any(which == "end" for which, _ in self._grammar.groups.values()):
            end_us = self._time(found.groupdict(), "end").epoch_us(after=start)
        return Named(found.groupdict().get(_STREAM, ""), start_us, end_us)

    def _time(self, found: Mapping[str, str], which: str) -> LocalTime:
        said: dict[str, str] = {}
        for group, (of, directive) in self._grammar.groups.items():
            if of == which and said.setdefault(directive, found[group]) != found[group]:
                raise ValueError(f"%{directive} is {said[directive]} and {found[group]}")
        return LocalTime(said, self.timezone)

    @cached_property
    def _grammar(self) -> _Grammar:
        return _Grammar.of(self.template)


class _Grammar(NamedTuple):
    """Attributes:
    pattern: what names match.
    groups: group of the pattern -> `time` or `end`, and its directive without `%` and `-`.
    """

    pattern: re.Pattern[str]
    groups: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, template: str) -> _Grammar:
        pieces: list[str] = []
        groups: dict[str, tuple[str, str]] = {}
        last = 0
        for part in _PART.finditer(template):
            pieces.append(re.escape(template[last : part.start()]))
            last = part.end()
            if part["wrong"]:
                known = "{stream}, {time:FORMAT}, {end:FORMAT}; a { by itself is written {{"
                raise ValueError(f"{part['wrong']!r} is no part of a layout; known: {known}")
            if part["which"]:
                pieces.append(_dated(part["which"], part["format"], groups))
            elif part[0] == "{stream}":
                again = f"(?P<{_STREAM}>" in "".join(pieces)
                pieces.append(f"(?P={_STREAM})" if again else f"(?P<{_STREAM}>[^/]+?)")
            else:
                pieces.append("[^/]*" if part[0] == "*" else re.escape(part[0][0]))
        pieces.append(re.escape(template[last:]))
        return cls(re.compile("".join(pieces)), groups)


def _dated(which: str, text: str, groups: dict[str, tuple[str, str]]) -> str:
    """The pattern of a format; its groups are added."""
    pieces, last = [], 0
    for found in _DIRECTIVE.finditer(text):
        pieces.append(re.escape(text[last : found.start()]))
        last, name = found.end(), found[1].lstrip("-")
        if name == "%":
            pieces.append("%")
            continue
        if name not in DIRECTIVES:
            known = ", ".join(f"%{one}" for one in DIRECTIVES)
            raise ValueError(f"{found[0]} is not known in a layout; known: {known}")
        group = f"t{len(groups)}"
        groups[group] = (which, name)
        digits = r"\d{1,2}" if found[1] != name else DIRECTIVES[name]
        pieces.append(f"(?P<{group}>{digits})")
    if not pieces:
        raise ValueError(f"{{{which}:{text}}} has no format, such as %Y-%m-%d_%H-%M-%S")
    return "".join([*pieces, re.escape(text[last:])])
