"""Depth in the picture: the model's maps, and the scene's own on the same scale of metres."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.layout import GAP, RIGHT, Row
from pipeline.demo.material import HEADING, Material, cells, heading
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.legend import BAR_WIDTH, bar_left, scale_bar
from pipeline.drawing.palette import depth_colours
from pipeline.drawing.scale import round_scale

DepthMaps = Mapping[int, NDArray[np.float32]]


def draw_depth(canvas: Canvas, top: int, material: Material) -> list[Row]:
    """The section from `top` on; no rows where there are no records."""
    model = _of_model(material)
    if not model:
        return []
    truth = _of_truth(material)
    marks_m = round_scale(*_range((*model.values(), *truth.values())))
    note = f"metres, near is bright{material.trained('depth')}; the model says {_span(model)}"
    note += f", the truth is {_span(truth)}, both on one scale" if truth else ""
    baseline = heading(canvas, top, "depth", note)
    scale_bar(canvas, (bar_left(RIGHT), baseline - 26), marks_m, width=BAR_WIDTH)
    rows = []
    top += HEADING
    for shows, maps in (("model", model), ("truth", truth)):
        if maps:
            row = Row("depth", shows, top, top + material.grid.cell_height)
            ends_m = marks_m[0], marks_m[-1]
            coloured = {at: depth_colours(depth_m, *ends_m) for at, depth_m in maps.items()}
            rows.append(cells(canvas, material.grid, row, coloured))
            top = row.bottom + GAP
    return rows


def _of_model(material: Material) -> DepthMaps:
    maps = (material.maps.get(shot.position) for shot in material.shots)
    found = {column: one.depth_m for column, one in enumerate(maps) if one}
    return {column: depth_m for column, depth_m in found.items() if depth_m is not None}


def _of_truth(material: Material) -> DepthMaps:
    frames = material.truth.frames if material.truth else {}
    return {
        column: frames[shot.position].depth_m
        for column, shot in enumerate(material.shots)
        if shot.position in frames
    }


def _range(maps: tuple[NDArray[np.float32], ...]) -> tuple[float, float]:
    """Without the outermost hundredth, which would flatten the rest."""
    known = np.concatenate([depth_m[np.isfinite(depth_m)] for depth_m in maps])
    if not known.size:
        return 0.0, 1.0
    low_m, high_m = np.percentile(known, (1, 99))
    return float(low_m), float(high_m)


def _span(maps: DepthMaps) -> str:
    low_m, high_m = _range(tuple(maps.values()))
    return f"{low_m:.2f} to {high_m:.2f}"
