"""Boxes that a detector outside of dinostream has found, in a file of JSON lines.

Path in -> what the file tells of a frame out. docs/prompts.md describes the lines. Importable
without torch.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from operators.errors import DinostreamError, WeightsError
from operators.frames import FrameInfo
from operators.moment import microseconds
from operators.result import canonical_json

FORMAT, SUFFIX = "dinostream.boxes.v1", ".jsonl"
REACH_US = 1000  # a time that is written in milliseconds is that of a frame up to here away

_HALVES = re.compile("[\ud800-\udfff]")  # of surrogates, which JSON can spell and UTF-8 cannot
_HEAD = {"format", "detector", "labels"}
_LINE = {"stream", "session", "position", "time", "objects"}
_OBJECT = {"box", "name", "score"}

Box = tuple[float, float, float, float]


class ToldThing(NamedTuple):
    """Left, top, right, bottom in pixels of the source; its name; its score, above 0 and up to
    1."""

    box: Box
    name: str
    score: float


class ToldFrame(NamedTuple):
    """What a line of the file says of one frame; its number, for messages."""

    line: int
    things: tuple[ToldThing, ...]


@dataclass(slots=True)
class _Index:
    """Lines by where they belong; a session of None is whichever the stream has."""

    by_position: dict[tuple[str, str | None, str], ToldFrame] = field(default_factory=dict)
    by_time: dict[tuple[str, str | None], list[tuple[int, ToldFrame]]] = field(default_factory=dict)
    sessions: set[tuple[str, str | None]] = field(default_factory=set)


class ToldBoxes:
    """A file of boxes.

    Attributes:
        path: of the file.
        sha256: of its bytes, hex.
        detector: what its first line says of who found them, JSON values; empty where it has none.
        names: of all things, in alphabetical order.
        most: things that a frame has at most.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            WeightsError: it cannot be read, or a line is none; names it.
        """
        self.path = path
        content = _content(path)  # once: what is hashed is what is told
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.detector: Mapping[str, Any] = {}
        self.most = 0
        self._index = _Index()
        names: set[str] = set()
        for line, said in _lines(path, content):
            if line == 1 and "format" in said:
                names.update(self._read_head(said))
            else:
                names.update(thing.name for thing in self._read(line, said))
        for told in self._index.by_time.values():
            told.sort(key=lambda one: one[0])
            self._require_apart(told)
        if not names:
            raise WeightsError(
                f"{path}: names no thing at all; say in its first line which labels there are: "
                f'{{"format": "{FORMAT}", "labels": ["cat"]}}'
            )
        self.names = tuple(sorted(names))

    def of(self, info: FrameInfo) -> ToldFrame | None:
        """What it tells of a frame; None: nothing, which is not that there are no things.

        Raises:
            DinostreamError: two lines are of it: one by position and one by time, or one with its
                session and one with none.
        """
        found = [one for session in (info.session, None) for one in self._lines_of(info, session)]
        if len(found) > 1:
            lines = " and ".join(str(one.line) for one in found)
            raise DinostreamError(
                f"{self.path}, lines {lines}: are of one frame, {info.position} of {info.stream}; "
                "leave one of them"
            )
        return found[0] if found else None

    def _lines_of(self, info: FrameInfo, session: str | None) -> Iterator[ToldFrame]:
        """Of one session: by position, and by time."""
        found = self._index.by_position.get((info.stream, session, info.position))
        if found is not None:
            yield found
        told = self._index.by_time.get((info.stream, session), ())
        at = bisect_left(told, info.event_time_us - REACH_US, key=lambda one: one[0])
        # They are further apart than twice the reach, so one is within it at most.
        if at < len(told) and told[at][0] <= info.event_time_us + REACH_US:
            yield told[at][1]

    def knows(self, info: FrameInfo) -> bool:
        """It tells of some frame of the stream's session, whichever."""
        own = {(info.stream, session) for session in (info.session, None)}
        return not own.isdisjoint(self._index.sessions)

    def _read_head(self, said: Mapping[str, Any]) -> Sequence[str]:
        if said["format"] != FORMAT:
            raise self._wrong(1, f"format {said['format']!r}, this release reads {FORMAT!r}")
        self._require_keys(1, said, _HEAD)
        detector, labels = said.get("detector", {}), said.get("labels", [])
        if not isinstance(detector, dict):
            raise self._wrong(1, f"detector must be an object, got {detector!r}")
        if not isinstance(labels, list) or not all(map(_is_name, labels)):
            raise self._wrong(1, f"labels must be a list of names, got {labels!r}")
        try:
            canonical_json(detector)
        except ValueError as error:  # NaN, or half of a surrogate
            raise self._wrong(1, f"detector holds what no record can hold ({error})") from None
        self.detector = detector
        return labels

    def _read(self, line: int, said: Mapping[str, Any]) -> tuple[ToldThing, ...]:
        self._require_keys(line, said, _LINE)
        stream, session, objects = (said.get(key) for key in ("stream", "session", "objects"))
        if not isinstance(stream, str) or not isinstance(session, str | None):
            raise self._wrong(line, "want a stream, and maybe a session, as texts")
        if not isinstance(objects, list):
            raise self._wrong(line, "want objects, a list; empty where nothing was found")
        self._index.sessions.add((stream, session))
        frame = ToldFrame(line, tuple(self._thing(line, one) for one in objects))
        self.most = max(self.most, len(frame.things))
        position, time = said.get("position"), said.get("time")
        if isinstance(position, int | str) and not isinstance(position, bool):
            key = (stream, session, str(position))
            if key in self._index.by_position:
                before = self._index.by_position[key].line
                raise self._wrong(line, f"is of the same frame as line {before}")
            self._index.by_position[key] = frame
        elif isinstance(time, str) and position is None:
            told = self._index.by_time.setdefault((stream, session), [])
            told.append((self._time_us(line, time), frame))
        else:
            raise self._wrong(line, "want a position, or a time such as 2026-11-29T17:00:00.200Z")
        return frame.things

    def _thing(self, line: int, said: Any) -> ToldThing:
        if not isinstance(said, dict):
            raise self._wrong(line, f"objects hold objects, got {said!r}")
        self._require_keys(line, said, _OBJECT)
        box, name, score = (said.get(key) for key in ("box", "name", "score"))
        if not _is_name(name):
            raise self._wrong(line, f"want a name, got {name!r}")
        if not _is_number(score) or not 0 < score <= 1:
            raise self._wrong(line, f"want a score above 0 and up to 1, got {score!r}")
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
            raise self._wrong(line, f"want a box of four numbers, got {box!r}")
        left, top, right, bottom = map(float, box)
        if not (0 <= left < right and 0 <= top < bottom):
            raise self._wrong(
                line,
                f"box {box!r} is upside down, without area or out of its picture; want left, top, "
                "right, bottom in pixels",
            )
        return ToldThing((left, top, right, bottom), name, float(score))

    def _time_us(self, line: int, text: str) -> int:
        try:
            time_us = microseconds(datetime.fromisoformat(text))
            assert time_us is not None
        except (ValueError, TypeError):  # without a zone it is no moment
            raise self._wrong(line, f"time {text!r} is none with a zone") from None
        return time_us

    def _require_apart(self, told: Sequence[tuple[int, ToldFrame]]) -> None:
        for (before_us, before), (after_us, after) in pairwise(told):
            if after_us - before_us <= 2 * REACH_US:
                raise self._wrong(after.line, f"may be of the same frame as line {before.line}")

    def _require_keys(self, line: int, said: Mapping[str, Any], allowed: set[str]) -> None:
        odd = sorted(set(said) - allowed)
        if odd:
            raise self._wrong(line, f"says {', '.join(odd)}; allowed: {', '.join(sorted(allowed))}")

    def _wrong(self, line: int, what: str) -> WeightsError:
        return WeightsError(f"{self.path}, line {line}: {what}")


def require_within(told: ToldFrame, info: FrameInfo, path: Path) -> None:
    """
    Raises:
        DinostreamError: a box is not of this picture.
    """
    height, width = info.source_hw
    for thing in told.things:
        if thing.box[2] > width or thing.box[3] > height:
            raise DinostreamError(
                f"{path}, line {told.line}: box {list(thing.box)} reaches out of its picture, "
                f"which is {width}x{height}: boxes are in pixels of the source as displayed"
            )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error


def _lines(path: Path, content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, text in enumerate(content.splitlines(), start=1):
        if text.strip():
            yield line, _object(path, line, text)


def _object(path: Path, line: int, content: bytes) -> Mapping[str, Any]:
    try:
        text = content.decode("utf-8")
        said = json.loads(text)
    except UnicodeDecodeError as error:
        raise WeightsError(f"{path}, line {line}: is not UTF-8 ({error})") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}, line {line}: no JSON ({error})") from error
    if not isinstance(said, dict):
        raise WeightsError(f"{path}, line {line}: want an object, got {text.strip()[:60]}")
    return said


def _is_number(value: Any) -> TypeGuard[float]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max  # JSON has whole numbers beyond


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value != "" and not _HALVES.search(value)
