"""Embeddings in the picture: how alike each sampled frame is to the first one."""

from __future__ import annotations

from pipeline.demo.chart import Chart
from pipeline.demo.layout import Row
from pipeline.demo.material import HEADING, Material, heading, label
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import GREY, INK
from pipeline.drawing.scale import decimals, round_scale

_HEIGHT = 84
_ROOM_ABOVE = 22  # for the numbers over the curve
_STEPS = 2
_NEARLY_ONE = 0.999  # frames that are all alike still get a scale


def draw_embedding(canvas: Canvas, top: int, material: Material) -> list[Row]:
    """The section from `top` on; no rows where there are no records."""
    vectors = material.findings.vectors
    seen = [shot for shot in material.findings.shots if shot.position in vectors]
    if not seen:
        return []
    first = vectors[seen[0].position]
    note = f"cosine similarity to the first frame, {len(first)} numbers each"
    heading(canvas, top, "embedding", note + material.trained("embedding"))
    row = Row("embedding", "model", top + HEADING, top + HEADING + _ROOM_ABOVE + _HEIGHT)
    label(canvas, row)
    alike = {shot.position: float(vectors[shot.position] @ first) for shot in seen}
    marks = round_scale(min(_NEARLY_ONE, *alike.values()), 1.0, steps=_STEPS)
    chart = Chart(material.grid, row.top + _ROOM_ABOVE, row.bottom, marks)
    places = max(1, decimals(marks))
    chart.draw_scale(canvas, f".{places}f")
    curve = [(material.seconds(shot.time_us), alike[shot.position]) for shot in seen]
    canvas.line([(chart.x(time_s), chart.y(value)) for time_s, value in curve], GREY, width=1.5)
    for column, shot in enumerate(material.shots):
        if shot.position in alike:
            value = alike[shot.position]
            xy = (material.grid.middle(column), chart.y(value))
            canvas.dot(xy, 4.5, INK)
            canvas.text((xy[0], xy[1] - 10), f"{value:.{places + 1}f}", 14, anchor="ms")
    return [row]
