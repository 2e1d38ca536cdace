"""A real replay on the page, with the footage that it is of."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from pipeline.media.encode import write_clip
from pipeline.view.footage import Footage
from pipeline.view.opening import Wish
from pipeline.view.service import serving
from pipeline.web.place import Place
from tests.warm_start import WarmCommand

pytestmark = pytest.mark.needs_browser

ROOT = Path(__file__).parents[4]
SIZES_HW = {"wide.mp4": (96, 160), "upright.mp4": (160, 96)}
FRAMES = 16
NEAR = 4  # of 255, by which a picture that was encoded twice differs
MEAN = """() => {
  const canvas = document.querySelector("canvas[data-layer=photo]");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [0, 1, 2].map((channel) => {
    const values = data.filter((_, at) => at % 4 === channel);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}"""

# Whether that is what stands beside the pointer, in as many digits as it has.
SAYS = """([metres, name]) => {
  const said = document.querySelector("output.value").value;
  const [, number, named] = /^([\\d.]+) m, (.+)$/.exec(said) ?? [];
  const digits = number?.split(".")[1]?.length ?? 0;
  return named === name && Math.abs(number - metres) <= 0.51 * 10 ** -digits;
}"""


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """A folder with two clips, each of whose frames has a colour of its own, and their records."""
    folder = tmp_path_factory.mktemp("replayed")
    for name, (high, wide) in SIZES_HW.items():
        write_clip(folder / name, (painted(n, high, wide) for n in range(FRAMES)), fps=10)
    words = ["replay", *SIZES_HW, "--weights=demo", "--short-side=56", "--threads=1", "--every=3"]
    words += ["--operator=depth", "--operator=segmentation", "--runtime=inline"]
    job = WarmCommand(
        [*words, f"--sink=sqlite:{folder}/results.db"],
        cwd=folder,
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=folder / "stdout",
        stderr=folder / "stderr",
    )
    assert job.wait() == 0, (folder / "stderr").read_text()
    return folder


def painted(number, high, wide):
    """A colour that tells the frame, and something to see in it."""
    picture = np.full((high, wide, 3), (12 * number, 200 - 12 * number, 90), np.uint8)
    picture[high // 4 : high // 2, wide // 4 : wide // 2] = 30
    return picture


class Records:
    """What lies in the database, read without our help."""

    def __init__(self, folder, stream):
        self._folder, self.stream = folder, stream

    def of(self, topic, key=""):
        """Headers and value of each, in order; of the stream where no other key is said."""
        query = "SELECT headers, value FROM records WHERE topic=? AND key=? ORDER BY offset"
        with closing(sqlite3.connect(f"file:{self._folder}/results.db?mode=ro", uri=True)) as base:
            rows = base.execute(query, (topic, key or self.stream)).fetchall()
        return [(json.loads(headers), value) for headers, value in rows]

    def names(self, labelset):
        """Of classes, by their ids."""
        ((_, labels),) = self.of("labels", labelset)
        return {one["id"]: one["name"] for one in json.loads(labels)}

    def mean(self, headers):
        """Colour of that very frame, out of the clip."""
        with av.open(str(self._folder / self.stream)) as clip:
            seconds = int(headers["ce_pts"]) * Fraction(headers["ce_timebase"])
            (frame,) = (one for one in clip.decode(video=0) if one.pts * one.time_base == seconds)
            return frame.to_ndarray(format="rgb24").mean(axis=(0, 1))


@pytest.fixture
def looked(replayed, stack, look):
    """`looked("#/")`: that place of the page."""

    def made(address):
        wish = Wish(f"sqlite:{replayed}/results.db", Footage.of([str(replayed)]))
        tab = look(stack.enter_context(serving(wish, Place("127.0.0.1", 0, ""))))
        tab.go(address)
        return tab.page

    return made


@pytest.mark.parametrize("stream", SIZES_HW)
def test_each_frame_has_its_own_picture_and_its_own_values(replayed, looked, stream):
    records = Records(replayed, stream)
    page = looked(f"#/s/{stream}?layers=depth,segmentation")
    group = page.get_by_role("group", name="Picture")
    photo = page.get_by_role("img", name=f"Picture of {stream}")
    maps = list(zip(records.of("depth"), records.of("segmentation"), strict=True))
    assert len(maps) == 6
    for depth, classes in maps:
        headers = depth[0]
        expect(group).to_have_attribute("data-position", headers["ce_id"].split("/")[3])
        expect(photo).to_be_visible()  # it may come after its maps
        assert page.evaluate(MEAN) == pytest.approx(records.mean(headers), abs=NEAR)
        check_values(page, photo.bounding_box(), records, depth, classes)
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("main")).to_contain_text("Out of domain")


def test_the_wall_has_their_pictures(looked):
    page = looked("#/")
    for stream in SIZES_HW:
        expect(page.get_by_role("link", name=stream)).to_contain_text("out of domain")
        expect(page.get_by_label(f"Picture of {stream}", exact=True)).to_be_visible()


def check_values(page, photo, records, depth, classes):
    """At two places: the number of the record, and the name of its class."""
    high, wide = SIZES_HW[records.stream]
    assert photo["width"] / photo["height"] == pytest.approx(wide / high, rel=0.02)
    names = records.names(classes[0]["ce_labelset"])
    for x, y in [(0.3, 0.4), (0.8, 0.7)]:
        page.mouse.move(photo["x"] + x * photo["width"], photo["y"] + y * photo["height"])
        metres = cell(depth[1], x, y) * float(depth[0]["ce_depthscale"])
        page.wait_for_function(SAYS, arg=[metres, names[cell(classes[1], x, y)]])


def cell(png, x, y):
    """A map's number at a place."""
    with Image.open(io.BytesIO(png)) as image:
        return image.getpixel((int(x * image.width), int(y * image.height)))
