"""What the ids in masks mean: `labels.csv` (id,name[,r,g,b]), or names made up from the ids.

A file or the ids that occur in -> a label set out. Knows no pictures.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from operators.errors import UsageError
from operators.segmentation.labelsets import Label, LabelSet
from operators.segmentation.palette import colour

_COLUMNS = "id,name or id,name,r,g,b"


def read_labels(path: Path, *, name: str) -> LabelSet:
    """The label set of a file.

    Args:
        path: one class a line; a heading line is passed over.
        name: of the label set.

    Raises:
        UsageError: unreadable, a wrong line, or ids that are not 0, 1, 2, ...; names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(reader.line_num, row) for reader in [csv.reader(file)] for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    labels = [
        _label(path, line, [cell.strip() for cell in row])
        for line, row in rows
        if any(row) and row[0].strip().lower() != "id"
    ]
    return _set(name, sorted(labels, key=lambda label: label.id), str(path))


def named_labels(names: Sequence[str], *, name: str) -> LabelSet:
    """Classes 0, 1, 2, ... of these names, with colours of their own."""
    labels = [Label(id_, text, colour(id_)) for id_, text in enumerate(names)]
    return _set(name, labels, "the labels")


def _label(path: Path, line: int, row: Sequence[str]) -> Label:
    try:
        if len(row) not in (2, 5):
            raise ValueError(f"it has {len(row)} columns")
        id_ = int(row[0])
        if len(row) == 2:
            return Label(id_, row[1], colour(id_))
        return Label(id_, row[1], (int(row[2]), int(row[3]), int(row[4])))
    except ValueError as error:
        raise UsageError(f"{path}, line {line}: want {_COLUMNS}; {error}") from error


def _set(name: str, labels: Sequence[Label], source: str) -> LabelSet:
    try:
        return LabelSet(name, tuple(labels))
    except ValueError as error:
        raise UsageError(f"{source}: {error}; unlabelled pixels are 255") from error
