"""Places of pictures: inside the sheet, apart, of the footage's shape, large."""

from itertools import combinations

import pytest

from pipeline.render.layout import HEADER, LEGEND, TALLEST, TITLE, WIDTH, arranged


@pytest.mark.parametrize("source_hw", [(360, 640), (1920, 1080), (480, 480), (16, 4096)])
@pytest.mark.parametrize("count", range(1, 7))
def test_pictures_stand_apart_and_inside(count, source_hw):
    layout = arranged(count, source_hw)
    assert len(layout.cells) == count
    assert layout.height % 2 == 0
    assert layout.height <= TALLEST + 2
    for cell in layout.cells:
        left, top, right, bottom = cell.box
        assert left >= 0
        assert right <= cell.right + 1 <= WIDTH
        assert top >= HEADER + TITLE
        assert bottom + LEGEND <= layout.height
        if source_hw[1] < 4096:
            assert cell.width / cell.height == pytest.approx(source_hw[1] / source_hw[0], rel=0.02)
    for one, two in combinations(layout.cells, 2):
        beside = one.right < two.left or two.right < one.left
        below = one.box[3] + LEGEND <= two.box[1] or two.box[3] + LEGEND <= one.box[1]
        assert beside or below


def test_they_are_as_large_as_they_can_be():
    assert {cell.top for cell in arranged(4, (1920, 1080)).cells} == {HEADER + TITLE}  # in one row
    (single,) = arranged(1, (360, 640)).cells
    assert single.width > 0.95 * WIDTH
    assert len({cell.left for cell in arranged(4, (360, 640)).cells}) == 2
