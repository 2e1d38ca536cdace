"""What a training says on its way: one JSON line every so many steps, and a picture of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from operators.whole_file import whole_file
from pipeline.drawing.palette import ACCENT, CLASS_COLOURS, GREY
from pipeline.plot.bins import Span
from pipeline.plot.over_time import OverTime, Series
from pipeline.plot.sheet import sheet

EVERY = 100  # steps that a line is about

Line = Mapping[str, Any]


class Curve:
    """Lines of a run, in its folder."""

    def __init__(self, folder: Path, done: int) -> None:
        """
        Args:
            folder: of the run.
            done: steps of its checkpoint; lines behind it are of steps that are done once more.
        """
        self._path, self._picture = folder / "curve.jsonl", folder / "curve.svg"
        self.lines = [line for line in _read(self._path) if line["step"] <= done]
        with whole_file(self._path) as draft:
            draft.write_text("".join(map(_text, self.lines)))

    def add(self, line: Line) -> None:
        """Another one, behind the others."""
        self.lines.append(line)
        with self._path.open("a") as file:
            file.write(_text(line))

    def draw(self, title: str, facts: Sequence[str]) -> None:
        """Put the picture beside the lines."""
        if self.lines:
            with whole_file(self._picture) as draft:
                draft.write_text(sheet(title, facts, _panels(self.lines)))


def _panels(lines: Sequence[Line]) -> list[OverTime]:
    def chart(title: str, unit: str, names: Mapping[str, str], *, top: float | None) -> OverTime:
        rgbs = (ACCENT, *CLASS_COLOURS)
        series = [
            Series(said, values(lambda line, name=name: line[name]), rgb)
            for (name, said), rgb in zip(names.items(), rgbs, strict=False)
        ]
        if top is not None:
            series.append(Series("nothing learnt", values(lambda _: top), GREY, dashed=True))
        return OverTime(title, unit, span, series, along="steps", wide=top is not None)

    count = -(-lines[-1]["step"] // EVERY)
    span = Span(0, EVERY, count)

    def values(of: Callable[[Line], float]) -> list[float | None]:
        found: list[float | None] = [None] * count
        for line in lines:
            found[(line["step"] - 1) // EVERY] = of(line)
        return found

    level = lines[-1]["log_prototypes"]
    losses = {"dino": "class tokens (DINO)", "ibot": "hidden patches (iBOT)"}
    return [
        chart("Losses", "cross entropy, nats; dashed: nothing learnt", losses, top=level),
        chart("Spread", "effective rank of class tokens", {"effective_rank": "rank"}, top=None),
        chart("Prototypes", "share that is anybody's first", {"used": "share"}, top=None),
    ]


def _read(path: Path) -> list[Line]:
    """Whole lines; one that was torn by a crash is none."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines


def _text(line: Line) -> str:
    return json.dumps(line) + "\n"
