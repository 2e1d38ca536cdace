"""Pictures of a sheet lie beside and below each other, and within it."""

from __future__ import annotations

from pipeline.drawing.cells import CAPTION, GAP, MARGIN, WIDTH, Cells


def test_rows_are_full_and_apart() -> None:
    cells = Cells(count=5, columns=4, top=60)
    boxes = [cells.box(number) for number in range(5)]
    first, second, *_, fifth = boxes
    assert first[:2] == (MARGIN, 60)
    assert (second[0] - first[2], second[1]) == (GAP, 60)
    assert (fifth[0], fifth[1] - first[3]) == (MARGIN, CAPTION)
    assert WIDTH - MARGIN - 4 < boxes[3][2] <= WIDTH - MARGIN
    assert cells.bottom == fifth[3] + CAPTION
    assert {round((right - left) / (bottom - top), 1) for left, top, right, bottom in boxes} == {
        1.8
    }


def test_no_pictures_take_no_room() -> None:
    assert Cells(count=0, columns=4, top=60).bottom == 60
