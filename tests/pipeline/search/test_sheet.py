"""A contact sheet has a cell for every episode, with its picture or with why there is none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pipeline.drawing.palette import NOTHING
from pipeline.search.episode import Episode
from pipeline.search.sheet import COLUMNS, contact_sheet
from pipeline.vectors.row import Row, Series
from pipeline.view.pictures import NoPicture

SERIES = Series("gate", "b1b2c3d4e5f6", "0a1b2c3d4e5f")


def episode(number: int) -> Episode:
    at_us = number * 1_000_000
    return Episode(Row(SERIES, str(number), at_us), 0.9, at_us, at_us + 500_000, 3)


def red(one):
    return Image.new("RGB", (64, 36), (200, 0, 0))


def none(one):
    raise NoPicture("the footage is not at hand; name it with --media")


def share(sheet, colour):
    return (np.abs(np.asarray(sheet, int) - colour).max(axis=2) < 3).mean()


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_its_size_is_that_of_its_cells(count):
    sheet = contact_sheet("gate@3", [episode(n) for n in range(count)], red)
    rows = -(-count // COLUMNS)
    assert sheet.width == 1600
    one_row = contact_sheet("gate@3", [episode(0)], red).height
    header = contact_sheet("gate@3", [], red).height
    assert sheet.height == header + rows * (one_row - header)


def test_pictures_are_shown_and_where_there_is_none_a_plain_cell(monkeypatch):
    written = []
    monkeypatch.setattr(
        "pipeline.drawing.canvas.Canvas.text",
        lambda self, xy, text, size, **how: written.append(text) or xy[0],
    )
    shown = contact_sheet("gate@3", [episode(0)], red)
    assert share(shown, (200, 0, 0)) > 0.12
    plain = contact_sheet("gate@3", [episode(0)], none)
    assert share(plain, NOTHING) > 0.1
    assert "the footage is not at hand; name it with" in " ".join(written)
    assert {"1.  0.900", "gate", "0:00:00.0, 3 frames in 0.5 s"} <= set(written)


def test_what_was_asked_with_comes_first_and_keeps_its_shape():
    tall = Image.new("RGB", (30, 90), (0, 0, 200))
    sheet = contact_sheet("a picture", [episode(0)], red, [tall])
    blue = np.abs(np.asarray(sheet, int) - (0, 0, 200)).max(axis=2) < 3
    rows, columns = np.flatnonzero(blue.any(axis=1)), np.flatnonzero(blue.any(axis=0))
    assert len(rows) == pytest.approx(3 * len(columns), abs=4)
    assert columns.max() < 400
