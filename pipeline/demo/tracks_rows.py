"""Tracks in the picture: boxes with their ids over the frames, and the scene's own below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.demo.layout import GAP, Grid, Row
from pipeline.demo.material import HEADING, Material, cells, heading
from pipeline.drawing.canvas import Box, Canvas
from pipeline.drawing.palette import RGB
from pipeline.drawing.tagged_box import number_colour, tagged_box

_WORDS = 11.0  # size, pixels

_Tag = tuple[Box, str, RGB]
"""Of a thing: its box in pixels of the source, its words, its colour."""


def draw_tracks(canvas: Canvas, top: int, material: Material) -> list[Row]:
    """The section from `top` on; no rows where there are no records."""
    model = _of_model(material)
    if not model:
        return []
    truth = _of_truth(material)
    note = f"boxes of detect with the ids of track{material.trained('tracks')}"
    note += "; truth: the scene's own boxes and ids" if truth else ""
    heading(canvas, top, "tracks", f"{note}; a track keeps its colour")
    rows = []
    top += HEADING
    for shows, tags in (("model", model), ("truth", truth)):
        if tags:
            row = Row("tracks", shows, top, top + material.grid.cell_height)
            rows.append(_draw_row(canvas, material, row, tags))
            top = row.bottom + GAP
    return rows


def _draw_row(
    canvas: Canvas, material: Material, row: Row, tags: Mapping[int, Sequence[_Tag]]
) -> Row:
    shots = enumerate(material.shots)
    stills = {
        column: material.stills[shot.position]
        for column, shot in shots
        if column in tags and shot.position in material.stills
    }
    cells(canvas, material.grid, row, stills)
    for column in stills:
        cell = material.grid.cell(column, row.top)
        for box, words, colour in tags[column]:
            seen = _in_cell(box, cell, material.grid)
            tagged_box(canvas, seen, words, colour, within=cell, size=_WORDS)
    return row


def _in_cell(box: Box, cell: Box, grid: Grid) -> Box:
    height, width = grid.source_hw
    across, down = (cell[2] - cell[0]) / width, (cell[3] - cell[1]) / height
    left, top, right, bottom = box
    return (
        cell[0] + left * across,
        cell[1] + top * down,
        cell[0] + right * across,
        cell[1] + bottom * down,
    )


def _of_model(material: Material) -> dict[int, list[_Tag]]:
    maps = (material.maps.get(shot.position) for shot in material.shots)
    found = {column: one.tracks for column, one in enumerate(maps) if one}
    return {
        column: [
            (one.box, f"{one.id} {one.label}", number_colour(one.id))
            for one in tracks
            if not one.lost
        ]
        for column, tracks in found.items()
        if tracks is not None
    }


def _of_truth(material: Material) -> dict[int, list[_Tag]]:
    frames = material.truth.frames if material.truth else {}
    return {
        column: [
            (one.box, f"{one.id} {one.label}", number_colour(one.id))
            for one in frames[shot.position].things
        ]
        for column, shot in enumerate(material.shots)
        if shot.position in frames
    }
