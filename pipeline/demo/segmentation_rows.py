"""Segmentation in the picture: the model's classes, the scene's own, and what the colours mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.layout import GAP, LEFT, RIGHT, Row
from pipeline.demo.material import HEADING, Material, cells, heading
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.legend import named_shares, swatches
from pipeline.drawing.palette import NOTHING, RGB, class_colours

LEGEND = 28  # height of a row's line of names


@dataclass(frozen=True, slots=True)
class _Classes:
    """Maps of class ids by column, and the names of the ids."""

    maps: Mapping[int, NDArray[np.uint8]]
    names: Sequence[str]

    def shares(self) -> dict[str, float]:
        """Name -> share of the pictures, largest first."""
        shares = np.zeros(len(self.names))
        for ids in self.maps.values():
            counts = np.bincount(ids.ravel(), minlength=len(self.names))
            shares += counts / (ids.size * len(self.maps))
        order = np.argsort(-shares, kind="stable")
        return {self.names[number]: float(shares[number]) for number in order if shares[number]}


def draw_segmentation(canvas: Canvas, top: int, material: Material) -> list[Row]:
    """The section from `top` on; no rows where there are no records."""
    model = _of_model(material)
    if not model.maps:
        return []
    truth = _of_truth(material)
    heading(canvas, top, "segmentation", _note(material, with_truth=bool(truth.maps)))
    top += HEADING
    # The truth chooses first, so that a class that both know has one colour.
    chosen = class_colours(list(truth.shares()))
    rows = []
    for shows, classes in (("model", model), ("truth", truth)):
        if classes.maps:
            colours = class_colours(list(classes.shares()), chosen)
            row = Row("segmentation", shows, top, top + material.grid.cell_height + LEGEND)
            rows.append(_draw_row(canvas, material, row, classes, colours))
            top = row.bottom + GAP
    return rows


def _draw_row(
    canvas: Canvas, material: Material, row: Row, classes: _Classes, colours: Mapping[str, RGB]
) -> Row:
    """Maps, and their legend below them."""
    table = np.array([colours.get(name, NOTHING) for name in classes.names], np.uint8)
    pictures = {column: table[ids] for column, ids in classes.maps.items()}
    maps = replace(row, bottom=row.bottom - LEGEND)
    cells(canvas, material.grid, maps, pictures, smooth=False)
    entries = named_shares(classes.shares(), colours)
    swatches(canvas, (LEFT, row.bottom - 6), entries, right=RIGHT)
    return row


def _note(material: Material, *, with_truth: bool) -> str:
    labelset = next(one.labelset for one in material.maps.values() if one.classes is not None)
    note = f"classes of {labelset}{material.trained('segmentation')}"
    note += "; truth: the scene's own classes" if with_truth else ""
    return f"{note}; shares of the frames shown"


def _of_model(material: Material) -> _Classes:
    maps: dict[int, NDArray[np.uint8]] = {}
    names: tuple[str, ...] = ()
    for column, shot in enumerate(material.shots):
        own = material.maps.get(shot.position)
        if own is not None and own.classes is not None:
            maps[column] = own.classes
            names = tuple(label.name for label in material.findings.labels[own.labelset].labels)
    return _Classes(maps, names)


def _of_truth(material: Material) -> _Classes:
    if material.truth is None:
        return _Classes({}, ())
    frames = material.truth.frames
    maps = {
        column: frames[shot.position].classes
        for column, shot in enumerate(material.shots)
        if shot.position in frames
    }
    return _Classes(maps, material.truth.names)
