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
from pipeline.pretrain.plan import Plan

EVERY = 100  # steps that a line is about

Line = Mapping[str, Any]
Value = Callable[[Line], float]


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

    def draw(self, plan: Plan) -> None:
        """Put the picture beside the lines."""
        if not self.lines:
            return
        last = self.lines[-1]["step"]
        recipe = plan.recipe
        facts = [f"{plan.model}, step {last:,} of {recipe.steps:,}, {recipe.batch} pictures each"]
        with whole_file(self._picture) as draft:
            draft.write_text(sheet(self._path.parent.name, facts, _panels(self.lines, plan)))


def _panels(lines: Sequence[Line], plan: Plan) -> list[OverTime]:
    charts = _Charts(lines)
    if "dino_global" not in lines[-1]:
        return [
            charts.chart("Losses", "1 - cosine", _FEATURES),
            charts.chart("Spread", "effective rank", _RANK),
        ]
    # All patches are asked about where a run is distilled; else those of some of the crops.
    asked = 1.0 if plan.teacher else plan.recipe.masked or 1.0
    losses: dict[str, Value] = {
        "class tokens (DINO)": lambda line: line["dino_global"] + line["dino_local"],
        "hidden patches (iBOT)": lambda line: line["ibot"] / asked,
        _NOTHING: lambda line: line["log_prototypes"],
    }
    return [
        charts.chart("Losses", "cross entropy per crop, nats", losses, wide=True),
        charts.chart("Spread", "effective rank", _RANK),
        charts.chart("Prototypes", "share that is anybody's first", _USED),
    ]


class _Charts:
    """Of one run's lines."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._span = Span(0, EVERY, -(-lines[-1]["step"] // EVERY))

    def chart(
        self, title: str, unit: str, values: Mapping[str, Value], *, wide: bool = False
    ) -> OverTime:
        series = [
            Series(name, self._binned(value), GREY if name == _NOTHING else rgb)
            for (name, value), rgb in zip(values.items(), _COLOURS, strict=False)
        ]
        known = [one for line in series for one in line.values if one is not None]
        # A loss falls by little of what it is; what begins near 0 is shown from there.
        bottom = min(known) if min(known) > max(known) / 2 else 0.0
        return OverTime(title, unit, self._span, series, along="steps", bottom=bottom, wide=wide)

    def _binned(self, value: Value) -> list[float | None]:
        found: list[float | None] = [None] * self._span.count
        for line in self._lines:
            found[(line["step"] - 1) // EVERY] = value(line)
        return found


_NOTHING = "nothing learnt"
_COLOURS = (ACCENT, *CLASS_COLOURS)
_FEATURES: Mapping[str, Value] = {
    "class token": lambda line: line["class"],
    "patches": lambda line: line["patches"],
}
_RANK: Mapping[str, Value] = {"class tokens": lambda line: line["effective_rank"]}
_USED: Mapping[str, Value] = {"prototypes": lambda line: line["used_prototypes"]}


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
