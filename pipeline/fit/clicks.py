"""A few clicks per class instead of masks: clicks.csv in -> the patches under the clicks out.

Columns file, time, x, y, label; time in seconds, empty for pictures; x and y in pixels of the
source. Knows nothing of training.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from pipeline.features.clip import Clip
from pipeline.features.store import FeatureStore
from pipeline.features.stored import StoredFeatures
from pipeline.fit.dense_plan import Tell

COLUMNS = ("file", "time", "x", "y", "label")
_FPS = 5.0  # frames of a recording that a click may be on
_REACH_S = 0.5 / _FPS


@dataclass(frozen=True, slots=True)
class Click:
    """One click: where, and what is there.

    Attributes:
        path: picture or recording.
        time_s: in the recording; None: a picture.
        xy: pixels of the source as displayed.
        label: name of the class.
        line: of the file, for messages.
    """

    path: Path
    time_s: float | None
    xy: tuple[float, float]
    label: str
    line: int


@dataclass(frozen=True, slots=True)
class Clicked:
    """Patches under clicks: normalised features float32 `[M, D]`, class names and files, M each."""

    vectors: NDArray[np.float32]
    labels: tuple[str, ...]
    files: tuple[str, ...]


def read_clicks(path: Path) -> list[Click]:
    """The clicks of a file.

    Args:
        path: CSV with a heading line; files are relative to its folder.

    Raises:
        UsageError: unreadable, a wrong line, a file that is not there, or fewer than two classes.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise UsageError(
                    f"{path}: its first line must be {','.join(COLUMNS)}, got {reader.fieldnames}"
                )
            clicks = [_click(path, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    labels = sorted({click.label for click in clicks})
    if len(labels) < 2:
        raise UsageError(f"{path}: want clicks of two classes or more, got {labels or 'none'}")
    return clicks


def clicked(
    clicks: Sequence[Click], store: FeatureStore, *, around: int = 0, tell: Tell
) -> Clicked:
    """What the backbone sees under the clicks.

    Args:
        clicks: of `read_clicks`.
        store: computes what the cache lacks.
        around: patches on every side of a click's own that count as clicked, too.
        tell: told of every click.

    Raises:
        UsageError: a click outside of its picture; names the line.
        SourceError: a file cannot be read; names it.
    """
    vectors, labels, files = [], [], []
    for done, click in enumerate(clicks, start=1):
        for patch in _patches(click, _features(click, store), around):
            vectors.append(patch)
            labels.append(click.label)
            files.append(str(click.path))
        tell("features", done, len(clicks))
    return Clicked(np.stack(vectors), tuple(labels), tuple(files))


def _click(path: Path, line: int, row: dict[str, str | None]) -> Click:
    try:
        time_s = float(row["time"] or "nan")
        xy = (float(row["x"] or "nan"), float(row["y"] or "nan"))
    except ValueError as error:
        raise UsageError(f"{path}, line {line}: {error}; want {','.join(COLUMNS)}") from error
    target = path.parent / (row["file"] or "")
    if not row["label"] or None in row or not all(map(math.isfinite, xy)):
        raise UsageError(f"{path}, line {line}: want {','.join(COLUMNS)}, got {row}")
    if not target.is_file():
        raise UsageError(f"{path}, line {line}: no such file: {target}")
    return Click(target, None if math.isnan(time_s) else time_s, xy, row["label"], line)


def _features(click: Click, store: FeatureStore) -> StoredFeatures:
    if click.time_s is None:
        return store.image(click.path, patches=True)
    start_s = max(0.0, click.time_s - _REACH_S)
    (found,) = store.each(
        [Clip(click.path, _FPS, start_s=start_s, end_s=click.time_s + _REACH_S, patches=True)]
    )
    return found


def _patches(click: Click, features: StoredFeatures, around: int) -> Iterator[NDArray[np.float32]]:
    grids = features.patches
    assert grids is not None
    nearest = 0
    if click.time_s is not None:
        nearest = int(np.abs(features.times_s - click.time_s).argmin())
    height, width = features.source_hw
    x, y = click.xy
    if not (0 <= x < width and 0 <= y < height):
        raise UsageError(
            f"line {click.line}: the click at {x:g}, {y:g} lies outside of {click.path}, which is "
            f"{width}x{height}"
        )
    h, w = grids.shape[1:3]
    row, column = int(y * h / height), int(x * w / width)
    rows = range(max(0, row - around), min(h, row + around + 1))
    columns = range(max(0, column - around), min(w, column + around + 1))
    for down in rows:
        for across in columns:
            yield grids[nearest, down, across]
