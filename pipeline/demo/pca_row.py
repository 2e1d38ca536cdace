"""Principal components in the picture: what the backbone itself sees, as colours."""

from __future__ import annotations

from pipeline.demo.layout import Row
from pipeline.demo.material import HEADING, Material, cells, heading
from pipeline.drawing.canvas import Canvas


def draw_pca(canvas: Canvas, top: int, material: Material) -> list[Row]:
    """The section from `top` on; no rows where there are no records."""
    maps = (material.maps.get(shot.position) for shot in material.shots)
    found = {column: one.colours for column, one in enumerate(maps) if one}
    pictures = {column: colours for column, colours in found.items() if colours is not None}
    if not pictures:
        return []
    note = "three principal components of the patch features; black is background by the first"
    heading(canvas, top, "pca", note + material.trained("pca"))
    row = Row("pca", "model", top + HEADING, top + HEADING + material.grid.cell_height)
    return [cells(canvas, material.grid, row, pictures)]
