"""What is seen of maps over a picture, held to the numbers in their records."""

from __future__ import annotations

import io
import random
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from pipeline.drawing.palette import CLASS_COLOURS, NOTHING, depth_colours
from tests.pipeline.view.browser.scene import NAMES, UPRIGHT_HW, WIDE_HW, Scene

pytestmark = pytest.mark.needs_browser

NEAR = 6  # of 255, by which a browser's colours may differ from ours
METRES = re.compile(r"\bmet(re|er)s?\b|\d ?m\b")


@pytest.fixture
def looked(book, shown):
    """`looked(scene, 7, layers="depth")`: that frame of it, drawn."""

    def made(scene: Scene, number: int, **query: object) -> Stage:
        scene.write(book)
        tab = shown(scene.at(number, **query))
        stage = Stage(tab.page, scene)
        expect(stage.group).to_have_attribute("data-position", str(number))
        expect(stage.photo).to_be_visible()
        return stage

    return made


class Stage:
    """The large picture."""

    def __init__(self, page, scene) -> None:
        self.page, self.scene = page, scene
        self.group = page.get_by_role("group", name="Picture")
        self.photo = page.get_by_role("img", name=f"Picture of {scene.stream}")

    def place(self, row, column):
        """Of a cell's middle on the screen."""
        box = self.photo.bounding_box()
        high, wide = self.scene.grid_hw
        across, down = (column + 0.5) / wide * box["width"], (row + 0.5) / high * box["height"]
        return box["x"] + across, box["y"] + down

    def seen(self, *cells):
        """Colours in the middles of cells, as they are on the screen."""
        self.page.mouse.move(0, 0)
        screen = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        return np.array([screen.getpixel(tuple(map(round, self.place(*one)))) for one in cells])

    def says(self, row, column):
        """What is read at a cell."""
        self.page.mouse.move(*self.place(row, column))
        return self.page.locator("output.value")

    def scale(self):
        """Of depth's colours: what the server says of the stream."""
        told = self.page.evaluate("async () => (await fetch('/view/streams/scene')).json()")
        (depth,) = (one for one in told["layers"] if one["topic"] == "depth")
        return depth["low"], depth["high"]


CELLS = [(0, 5), (2, 3), (4, 8), (7, 1), (8, 15)]


def test_depth_is_seen_in_the_colours_of_its_values(looked):
    scene = Scene("scene")
    stage = looked(scene, 7, layers="depth", opacity=100)
    metres = scene.steps(7).astype(np.float32)
    metres[0, 0] = np.nan
    expected = depth_colours(metres, *stage.scale())
    drawn = stage.page.evaluate(PIXELS, "depth")
    assert np.abs(np.array(drawn).reshape(*WIDE_HW, 4)[..., :3].astype(int) - expected).max() <= 1
    where = tuple(np.array(CELLS).T)
    assert np.abs(stage.seen(*CELLS) - expected[where]).max() <= NEAR
    assert np.abs(stage.seen((0, 0)) - NOTHING).max() <= NEAR  # unknown is grey, and not far


EDGES = """shares => {
  const canvas = document.querySelector('[data-layer="tracks"]');
  const row = canvas.getContext("2d").getImageData(0, canvas.height * 0.7, canvas.width, 1).data;
  const at = (share) => 4 * (Math.round(share * canvas.width) + 1);
  return shares.map((share) => [...row.slice(at(share), at(share) + 3)]);
}"""
PIXELS = """(layer) => {
  const canvas = document.querySelector(`canvas[data-layer=${layer}]`);
  return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}"""


def test_classes_are_seen_in_their_colours_and_named(looked):
    scene = Scene("scene")
    stage = looked(scene, 3, layers="segmentation", opacity=100)
    colours = np.array(CLASS_COLOURS)[scene.classes(3)]  # the first for the largest
    assert np.abs(stage.seen(*CELLS) - colours[tuple(np.array(CELLS).T)]).max() <= NEAR
    legend = stage.page.get_by_role("list", name="Classes by area").get_by_role("button")
    assert [text.split()[0] for text in legend.all_inner_texts()] == list(NAMES)


def test_a_layer_is_laid_over_thinned_out_and_taken_away(looked):
    scene = Scene("scene")
    stage = looked(scene, 20, layers="segmentation", opacity=50)
    over = np.array(CLASS_COLOURS)[scene.classes(20)][tuple(np.array(CELLS).T)]
    picture = np.full_like(over, scene.grey(20))
    assert np.abs(stage.seen(*CELLS) - (over + picture) / 2).max() <= NEAR
    slider = stage.page.get_by_role("slider", name="Opacity")
    slider.fill("0")
    expect(stage.page.locator("canvas[data-layer=segmentation]")).to_have_css("opacity", "0")
    assert np.abs(stage.seen(*CELLS) - picture).max() <= NEAR
    slider.fill("100")
    expect(stage.page.locator("canvas[data-layer=segmentation]")).to_have_css("opacity", "1")
    assert np.abs(stage.seen(*CELLS) - over).max() <= NEAR
    stage.page.get_by_role("checkbox", name="segmentation").uncheck()
    expect(stage.page.locator("canvas[data-layer=segmentation]")).to_be_hidden()
    assert np.abs(stage.seen(*CELLS) - picture).max() <= NEAR


def test_a_split_shows_the_picture_beside_its_map(looked):
    scene = Scene("scene")
    stage = looked(scene, 9, layers="segmentation", opacity=100, split=50)
    left, right = stage.seen((4, 2), (4, 13))
    assert np.abs(left - scene.grey(9)).max() <= NEAR
    assert np.abs(right - CLASS_COLOURS[scene.classes(9)[4, 13]]).max() <= NEAR
    split = stage.page.get_by_role("slider", name="Where maps begin")
    split.press("Home")
    expect(split).to_have_attribute("aria-valuenow", "1")
    (left,) = stage.seen((4, 2))
    assert np.abs(left - CLASS_COLOURS[scene.classes(9)[4, 2]]).max() <= NEAR


@pytest.mark.parametrize("grid_hw", [WIDE_HW, UPRIGHT_HW], ids=["wide", "upright"])
def test_what_is_pointed_at_has_its_records_value(looked, grid_hw):
    scene = Scene("scene", grid_hw)
    stage = looked(scene, 11, layers="depth")
    picture = stage.photo.bounding_box()
    over = stage.page.get_by_role("img", name="depth over the picture").bounding_box()
    assert over == pytest.approx(picture, abs=1)
    assert picture["width"] / picture["height"] == pytest.approx(grid_hw[1] / grid_hw[0], rel=0.01)
    cells = [(row, column) for row in range(grid_hw[0]) for column in range(grid_hw[1])]
    for row, column in random.Random(0).sample(cells[1:], 10):
        name = NAMES[scene.classes(11)[row, column]]
        expect(stage.says(row, column)).to_have_text(f"{scene.steps(11)[row, column]} m, {name}")
    expect(stage.says(0, 0)).to_have_text(f"depth unknown, {NAMES[scene.classes(11)[0, 0]]}")


def test_tracks_are_boxes_with_numbers_over_the_picture(looked, book):
    scene = Scene("scene")
    seen = {"id": 7, "box": [8, 8, 40, 32], "label": {"id": 1, "name": "car"}, "state": "seen"}
    lost = {"id": 9, "box": [44, 4, 60, 32], "label": {"id": 1, "name": "car"}, "state": "lost"}
    scene.write_tracks(book, 12, [seen, lost])
    stage = looked(scene, 12, layers="tracks")
    layer = stage.page.get_by_role("img", name="tracks over the picture")
    expect(layer).to_be_visible()
    (inside,) = stage.seen((5, 5))
    assert np.abs(inside - scene.grey(12)).max() <= NEAR
    drawn = stage.page.evaluate(EDGES, [8 / 64, 44 / 64])
    assert np.abs(np.array(drawn[0]) - CLASS_COLOURS[7]).max() <= NEAR
    assert np.abs(np.array(drawn[1]) - NOTHING).max() <= NEAR
    stage.page.get_by_role("checkbox", name="tracks").uncheck()
    expect(layer).to_be_hidden()


def test_metres_have_a_unit(looked):
    stage = looked(Scene("scene"), 0, layers="depth")
    legend = stage.page.get_by_role("region", name="Legend")
    expect(legend.locator(".unit")).to_have_text("m")
    expect(legend).to_contain_text("unknown")


def test_what_knows_no_metres_says_none(looked):
    stage = looked(Scene("scene", depthkind="relativedisparity"), 2, layers="depth")
    main = stage.page.get_by_role("main")
    expect(stage.says(3, 3)).to_contain_text("no unit")
    expect(stage.page.get_by_role("region", name="Legend")).to_contain_text("near")
    expect(main).to_contain_text("Relative")
    assert not METRES.search(main.inner_text()), main.inner_text()
