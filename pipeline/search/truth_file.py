"""Ground truth of an instance retrieval benchmark, as JSON -> names of pictures and truths.

It has what the public files of revisited Oxford and Paris have, under their names: `imlist` and
`qimlist`, names of pictures with or without their suffix, and `gnd`, of each query `easy`, `hard`
and `junk`, numbers in `imlist`, and `bbx`. Those files are pickles, which can run any program of
whoever made them and are not read here; docs/search.md says how one is converted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.search.revisited import Box, Truth

SUFFIXES = ("", ".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """
    Attributes:
        gallery: pictures that are searched.
        queries: pictures that are asked with.
        truths: of the queries.
    """

    gallery: tuple[Path, ...]
    queries: tuple[Path, ...]
    truths: tuple[Truth, ...]


def read_benchmark(truth: Path, gallery: Path, queries: Path) -> Benchmark:
    """
    Args:
        truth: the file.
        gallery, queries: folders of the pictures; they may be one.

    Raises:
        UsageError: no such file or picture, or something in it is no ground truth.
    """
    if not truth.is_file():
        raise UsageError(f"{truth}: no such file of ground truth")
    data = truth.read_bytes()
    if data[:1] == b"\x80":
        raise UsageError(
            f"{truth} is a pickle, which may run programs and is not opened; convert it to JSON as "
            "docs/search.md shows"
        )
    names, asked, rows = _lists(truth, data)
    if not names or not asked or len(asked) != len(rows):
        raise UsageError(
            f"{truth}: {len(names)} pictures, {len(asked)} queries and {len(rows)} truths; every "
            "query has its truth"
        )
    return Benchmark(
        tuple(_picture(gallery, name) for name in names),
        tuple(_picture(queries, name) for name in asked),
        tuple(_truth(row, len(names), f"{truth}: gnd[{n}]") for n, row in enumerate(rows)),
    )


def _lists(truth: Path, data: bytes) -> list[list[Any]]:
    try:
        said = json.loads(data)
        lists = [said[key] for key in ("imlist", "qimlist", "gnd")]
        if all(isinstance(one, list) for one in lists):
            return lists
        why = "each is a list"
    except (ValueError, KeyError, TypeError) as error:
        why = str(error)
    raise UsageError(f"{truth} is no ground truth: want JSON with imlist, qimlist and gnd ({why})")


def _picture(folder: Path, name: Any) -> Path:
    found = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    picture = next((path for path in found if path.is_file()), None)
    if picture is None:
        raise UsageError(f"{folder} has no picture {name}, which the ground truth names")
    return picture


def _truth(row: Mapping[str, Any], gallery: int, where: str) -> Truth:
    try:
        easy, hard, junk = (tuple(map(int, row[kind])) for kind in ("easy", "hard", "junk"))
        box = _box(row["bbx"]) if row.get("bbx") else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{where} is no truth: want easy, hard, junk and bbx ({error})") from None
    outside = next((one for one in (*easy, *hard, *junk) if not 0 <= one < gallery), None)
    if outside is not None:
        raise UsageError(f"{where}: there is no picture {outside} in imlist, which has {gallery}")
    return Truth(easy, hard, junk, box)


def _box(said: Sequence[Any]) -> Box:
    left, top, right, bottom = map(float, said)
    if not (left < right and top < bottom):
        raise ValueError(f"bbx {said} is no left, top, right, bottom")
    return left, top, right, bottom
