"""A sheet shows the funnel and one picture of each cluster first."""

import numpy as np

from pipeline.curate.chosen import Chosen, entries_of
from pipeline.curate.funnel import Funnel
from pipeline.curate.selection import Decision
from pipeline.curate.sheet import HEADER, contact_sheet
from pipeline.drawing.cells import CAPTION, MARGIN, WIDTH


def drawn(harvest, clusters):
    said = [
        Decision("surplus" if one is None else "taken", "why", one if one is not None else 0)
        for one in clusters
    ]
    chosen = [Chosen(*one) for one in zip(entries_of([harvest]), said, strict=True)]
    return contact_sheet(Funnel.of([harvest], said), chosen)


def test_pictures_are_shown_by_clusters(harvested):
    """The second of the first cluster comes after the first of the second; each is of one grey."""
    sheet = np.asarray(drawn(harvested(np.eye(8)[:4]), [0, 0, 1, None]))
    top = HEADER + 4 * 30 + 20
    levels = [int(sheet[top + 60, MARGIN + 120 + n * 262].mean()) for n in range(4)]
    assert levels == [30, 32, 31, 255]


def test_so_many_at_most(harvested):
    many = harvested(np.eye(40))
    sheet = drawn(many, list(range(40)))
    assert sheet.width == WIDTH
    assert sheet.height < HEADER + 5 * 30 + 4 * (140 + CAPTION) + 2 * MARGIN


def test_none_taken_is_a_sheet_of_the_funnel_alone(harvested):
    assert drawn(harvested(np.eye(8)[:2]), [None, None]).height < 250
