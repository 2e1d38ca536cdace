"""Boxes as YOLO writes them: a text file for each picture -> boxed pictures.

A line a thing: class id, then the centre's x and y, width and height in shares of the picture.
"""

from __future__ import annotations

import math
from pathlib import Path

from operators.errors import UsageError
from pipeline.fit.boxed import Boxed, BoxedPicture, refuse_twice, refuse_wrong, sides_within
from pipeline.fit.mask_labels import named_labels
from pipeline.fit.pairs import PICTURES, by_stem, listed

_NAMES = "classes.txt"  # a name a line, in the order of ids

Row = tuple[float, ...]


def yolo_boxes(pictures: Path, folder: Path) -> Boxed:
    """Every picture with the things that its text file has; none where there is no such file.

    Args:
        pictures: folder, looked through with its sub-folders.
        folder: text files of the same names but for their ending, and maybe `classes.txt`.

    Raises:
        UsageError: no pictures, no text files, one without a picture, or a line that is no box.
    """
    found = by_stem(pictures, PICTURES)
    texts = by_stem(folder, frozenset((".txt",)))
    named = texts.pop(_NAMES.removesuffix(".txt"), None)
    alone = [str(path) for stem, path in texts.items() if stem not in found]
    if alone:
        raise UsageError(f"no picture in {pictures} for {listed(alone)}")
    wrong: list[str] = []
    items = [
        BoxedPicture(path, _rows(texts[stem], wrong) if stem in texts else ())
        for stem, path in sorted(found.items())
    ]
    refuse_wrong(wrong, folder)
    names = _class_names(named, items, folder)
    without = len(found) - len(texts)
    notes = (f"{without} pictures have no text file: they show nothing",) if without else ()
    return Boxed(items, named_labels(names, name=folder.resolve().name), notes)


def _class_names(named: Path | None, items: list[BoxedPicture], folder: Path) -> list[str]:
    most = max((int(row[0]) for item in items for row in item.rows), default=-1)
    if most < 0:
        raise UsageError(f"{folder}: there is no box in any of its text files")
    if named is None:
        return [f"class {id_}" for id_ in range(most + 1)]
    names = [line.strip() for line in _lines(named) if line.strip()]
    refuse_twice("class", names, named)
    if most >= len(names):
        raise UsageError(f"{named}: it names {len(names)} classes, a box is of class {most}")
    return names


def _rows(path: Path, wrong: list[str]) -> tuple[Row, ...]:
    rows = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        row = _row(f"{path.name}, line {number},", line)
        if isinstance(row, str):
            wrong.append(row)
        else:
            rows.append(row)
    return tuple(rows)


def _row(where: str, line: str) -> Row | str:
    try:
        id_, x, y, width, height = map(float, line.split())
        whole = id_.is_integer() and 0 <= id_ < 256
    except ValueError:
        whole = False
    if not whole or not all(map(math.isfinite, (x, y, width, height))):
        return f"{where} is {line.strip()!r}, expected class x y width height, five numbers"
    sides = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    held = sides_within(where, sides)
    return held if isinstance(held, str) else (id_, *held, 0.0)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
