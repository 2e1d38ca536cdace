"""What happens when in recordings: `spans.csv`, or a folder with one folder per class.

What a user points at -> labelled recordings out. Opens no media.
"""

from __future__ import annotations

import csv
import glob
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from operators.action.episodes import BACKGROUND
from operators.errors import UsageError
from pipeline.configuration.sources import plan_recordings
from pipeline.media.filename import is_system

COLUMNS = ("file", "start", "end", "label")


@dataclass(frozen=True, slots=True)
class Span:
    """One label from one moment to another.

    Attributes:
        start_s, end_s: seconds since the recording's first frame; infinite: to its end.
        label: name of the class.
        line: of the CSV file; 0 where there is none.
    """

    start_s: float
    end_s: float
    label: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One recording with its spans in order; they do not overlap.

    Attributes:
        name: what a user calls it: a path, or a stream.
        spans: what happens in it; the rest is background.
    """

    name: str
    spans: tuple[Span, ...]


def clips_in_folders(place: str) -> list[Labelled]:
    """Every recording below a folder, labelled with the name of the folder that it lies in.

    Args:
        place: a folder with a folder per class, or a glob such as `clips/*/*.mp4`.

    Raises:
        UsageError: nothing there, an empty class, or recordings of one class only.
    """
    folder = Path(place)
    if folder.is_dir():
        classes = sorted(
            one for one in folder.iterdir() if one.is_dir() and not is_system(one.name)
        )
        paths = [Path(plan.url) for plan in plan_recordings([place])]
        _refuse_stray(folder, paths)
        found = {one.name: [p for p in paths if one in p.parents] for one in classes}
    else:
        if not glob.has_magic(place):
            raise UsageError(f"no such folder: {place}")
        paths = [Path(path) for path in sorted(glob.glob(place, recursive=True))]
        names = sorted({path.parent.name for path in paths if path.is_file()})
        found = {
            name: [p for p in paths if p.parent.name == name and p.is_file()] for name in names
        }
    refuse_few_classes(found, place)
    return [
        Labelled(str(path), (Span(0.0, math.inf, name),))
        for name, paths in found.items()
        for path in paths
    ]


def refuse_few_classes(found: Mapping[str, Sequence[object]], place: str) -> None:
    """Hold a set of classes to being one that can be learnt.

    Args:
        found: class -> its examples.
        place: where they come from, for texts.

    Raises:
        UsageError: an empty class, fewer than two, or a name that a head's file cannot hold.
    """
    for name in found:
        if name.encode(errors="replace").decode() != name:
            raise UsageError(f"{place}: the class {name!r} is no UTF-8; rename its folder")
    empty = [name for name, examples in found.items() if not examples]
    if empty:
        raise UsageError(f"{place}: classes without a single example: {', '.join(empty)}")
    if len(found) < 2:
        named = ", ".join(found) or "none"
        raise UsageError(f"{place}: a head tells classes apart and needs two or more, got {named}")


def spans_of_csv(path: Path, *, files: bool = True) -> list[Labelled]:
    """The spans that a file lists, by recording.

    Args:
        path: CSV with a heading line `file,start,end,label` in any order; `start` and `end` are
            seconds or [h:]m:s since the first frame, empty: from its beginning, to its end.
        files: `file` is a path, from the CSV's folder; if not, the name of a stream.

    Raises:
        UsageError: unreadable, unknown or missing columns, a wrong line, spans that overlap, a file
            that is not there.
    """
    spans: dict[str, list[Span]] = {}
    for line, row in _rows(path):
        name, span = _span(path, line, row)
        if files:
            name = str(_file(path, line, name))
        spans.setdefault(name, []).append(span)
    if not spans:
        raise UsageError(f"{path}: it lists no span; a line is FILE,START,END,LABEL")
    return [Labelled(name, _in_order(path, name, own)) for name, own in spans.items()]


def label_names(recordings: Sequence[Labelled], *, background: bool) -> tuple[str, ...]:
    """The classes: background first where there is any, the others by name."""
    named = {span.label for recording in recordings for span in recording.spans} - {BACKGROUND}
    return (BACKGROUND,) * background + tuple(sorted(named))


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            _check_columns(path, list(reader.fieldnames or ()))
            return [(reader.line_num, _cells(path, reader.line_num, row)) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error


def _check_columns(path: Path, found: Sequence[str]) -> None:
    wanted = ",".join(COLUMNS)
    for name in found:
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{path}: unknown column {name!r}{hint} Its first line is {wanted}")
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise UsageError(f"{path}: no column {', '.join(missing)}; its first line is {wanted}")


def _cells(path: Path, line: int, row: Mapping[str | None, str | None]) -> dict[str, str]:
    if None in row or None in row.values():
        raise UsageError(f"{path}, line {line}: want {len(COLUMNS)} cells: {','.join(COLUMNS)}")
    return {str(name): str(cell).strip() for name, cell in row.items()}


def _span(path: Path, line: int, row: Mapping[str, str]) -> tuple[str, Span]:
    where = f"{path}, line {line}"
    if not row["file"] or not row["label"]:
        raise UsageError(f"{where}: file and label must not be empty")
    start_s = _seconds(where, row["start"], 0.0)
    end_s = _seconds(where, row["end"], math.inf)
    if not start_s < end_s:
        raise UsageError(f"{where}: start {row['start']} must come before end {row['end']}")
    return row["file"], Span(start_s, end_s, row["label"], line)


def _seconds(where: str, text: str, default: float) -> float:
    """Seconds, or [hours:]minutes:seconds."""
    if not text:
        return default
    try:
        parts = [float(part) for part in text.split(":")]
        seconds = math.fsum(part * 60.0**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0 or text.count(":") > 2:
        raise UsageError(f"{where}: {text!r} is no time; write seconds, or minutes:seconds")
    return seconds


def _file(path: Path, line: int, name: str) -> Path:
    target = path.parent / name
    if not target.is_file():
        raise UsageError(f"{path}, line {line}: no such file: {target}")
    return target


def _in_order(path: Path, name: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    ordered = sorted(spans, key=lambda span: (span.start_s, span.end_s))
    for first, second in pairwise(ordered):
        if second.start_s < first.end_s and second.label != first.label:
            raise UsageError(
                f"{path}, lines {first.line} and {second.line}: {first.label} and {second.label} "
                f"overlap in {name}; a moment has one label"
            )
    return tuple(ordered)


def _refuse_stray(folder: Path, paths: Sequence[Path]) -> None:
    stray = [path.name for path in paths if path.parent == folder]
    if stray:
        raise UsageError(
            f"{folder}: recordings in no class's folder: {', '.join(stray[:4])}"
            f"{' ...' if len(stray) > 4 else ''}; put them into {folder}/CLASS/"
        )
