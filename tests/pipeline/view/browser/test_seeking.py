"""Whoever asks for a time is shown the frame that holds then, its picture under its own maps."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.pipeline.view.browser.scene import FRAMES, Scene
from tests.pipeline.view.conftest import RECORDING, SECOND_US

pytestmark = pytest.mark.needs_browser

TENTH_US = SECOND_US // 10
NEAR = 2  # of 255, by which a JPEG's grey differs


@pytest.fixture
def seeking(book, shown):
    """Frame 10 of a recording, and whoever goes on from there."""
    scene = Scene("scene")
    scene.write(book)
    tab = shown(scene.at(10, layers="depth"))
    found = Seeking(tab.page, scene, book.path)
    found.shows(10)
    return found


class Seeking:
    def __init__(self, page, scene, database):
        self.page, self.scene, self.database = page, scene, database
        self.slider = page.get_by_role("slider", name="Time")
        self.photo = page.get_by_role("img", name="Picture of scene")
        self.field = page.get_by_role("textbox", name="Jump to a time")

    def shows(self, number):
        """That frame, by its position, by its picture and by its map."""
        group = self.page.get_by_role("group", name="Picture")
        expect(group).to_have_attribute("data-position", str(number))
        expect(self.photo).to_be_visible()  # it may come after its maps
        assert abs(self.page.evaluate(GREY) - self.scene.grey(number)) <= NEAR
        chip = self.page.get_by_role("button", name="depth", exact=True)
        assert chip.get_attribute("title").startswith(f"depth/scene/{RECORDING}/{number}/")

    def holds(self, time_us):
        """Number of the frame that holds then, as the database has it without our help."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT headers FROM records WHERE topic='depth'").fetchall()
        frames = [json.loads(headers) for (headers,) in rows]
        begun = [one for one in frames if told_us(one["ce_time"]) <= time_us]
        last = max(begun, key=lambda one: told_us(one["ce_time"]))
        return int(last["ce_id"].split("/")[3])


GREY = """() => {
  const canvas = document.querySelector("canvas[data-layer=photo]");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const reds = data.filter((_, at) => at % 4 === 0);
  return reds.reduce((sum, value) => sum + value, 0) / reds.length;
}"""


def told_us(text):
    return round(datetime.fromisoformat(text).timestamp() * SECOND_US)


def test_a_time_that_is_typed(seeking):
    for text, time_us in [("0:03.4", 3_400_000), ("0:07.39", 7_390_000), ("1:00", 60_000_000)]:
        seeking.field.fill(text)
        seeking.field.press("Enter")
        seeking.shows(seeking.holds(time_us))
    seeking.field.fill("noon")
    seeking.field.press("Enter")
    expect(seeking.page.get_by_role("alert").filter(has_text="A time is")).to_be_visible()
    seeking.shows(FRAMES - 1)


def test_a_place_on_the_line_of_time(seeking):
    box = seeking.slider.bounding_box()
    for share in (0.95, 0.3, 0.62):
        x, y = box["x"] + share * box["width"], box["y"] + 25  # on the bar that shows frames
        seeking.page.mouse.move(x, y)
        tip = seeking.page.locator(".tip")
        expect(tip).to_have_text(re.compile(r"^0:0\d\.\d$"))
        minutes, seconds = tip.inner_text().split(":")
        under_us = round((int(minutes) * 60 + float(seconds)) * SECOND_US)
        seeking.page.mouse.click(x, y)
        group = seeking.page.get_by_role("group", name="Picture")
        either = {seeking.holds(under_us), seeking.holds(under_us + TENTH_US - 1)}
        wanted = re.compile(f"^({'|'.join(map(str, either))})$")
        expect(group).to_have_attribute("data-position", wanted)
        seeking.shows(int(group.get_attribute("data-position")))


def test_keys_and_buttons(seeking):
    page = seeking.page
    page.keyboard.press("ArrowRight")
    seeking.shows(11)
    page.get_by_role("button", name="Previous frame").click()
    seeking.shows(10)
    page.get_by_role("button", name="Next frame").click()
    seeking.shows(11)
    seeking.slider.press("Home")
    seeking.shows(0)
    page.keyboard.press("ArrowLeft")
    seeking.shows(0)  # before the first there is none
    seeking.slider.press("End")
    seeking.shows(FRAMES - 1)
    seeking.slider.press("ArrowLeft")
    seeking.shows(FRAMES - 2)
    assert seeking.slider.get_attribute("aria-valuetext") == "0:09.6"


def test_what_happened(book, seeking):
    how = {"stream": "scene", "session": RECORDING}
    book.write(book.action(20, 24, "walks", **how), book.action(40, 44, "falls", **how))
    seeking.page.reload()
    seeking.shows(10)
    seeking.page.keyboard.press(".")
    seeking.shows(20)
    seeking.page.keyboard.press(".")
    seeking.shows(40)
    seeking.page.keyboard.press(",")
    seeking.shows(20)
    seeking.page.get_by_role("link", name="falls").click()
    seeking.shows(40)


def test_playing_goes_on_by_itself_to_the_end(seeking):
    seeking.field.fill("0:09")
    seeking.field.press("Enter")
    seeking.shows(45)
    seeking.page.get_by_role("button", name="Play").click()
    seeking.shows(FRAMES - 1)
    expect(seeking.page.get_by_role("button", name="Play (Space)")).to_be_visible()


def test_a_picture_of_another_frame_is_said_to_be_one(book, shown):
    scene = Scene("scene")
    scene.write(book, pictures=range(0, FRAMES, 2))
    seeking = Seeking(shown(scene.at(10)).page, scene, book.path)
    told = seeking.page.locator(".which")
    expect(told).to_have_text(f"frame 10 of {RECORDING}")
    seeking.page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("frame 11")
    expect(told).to_contain_text("its picture is not exact: −0.20 s from it")  # noqa: RUF001
    expect(seeking.photo).to_be_visible()
    assert abs(seeking.page.evaluate(GREY) - scene.grey(10)) <= NEAR


def test_maps_do_not_wait_for_a_picture(book, shown):
    scene, held = Scene("scene"), []
    scene.write(book)
    tab = shown()
    tab.page.route("**/view/frame?*", lambda route: held.append(route))
    tab.go(scene.at(3, layers="depth"))
    seeking = Seeking(tab.page, scene, book.path)
    expect(tab.page.get_by_role("main")).to_contain_text("The picture is on its way.")
    expect(tab.page.get_by_role("img", name="depth over the picture")).to_be_visible()
    expect(seeking.photo).to_be_hidden()
    held[0].continue_()
    seeking.shows(3)


def test_a_time_of_day_is_meant_where_the_browser_is(book, shown):
    book.write(*[book.frame(number) for number in range(50)])
    page = shown("#/s/gate?t=2026-11-18T11:06:40.000000Z", timezone_id="Pacific/Kiritimati").page
    field, group = page.get_by_label("Jump to a time"), page.get_by_role("group", name="Picture")
    expect(field).to_have_value("2026-11-19 01:06:40.000")
    field.fill("01:06:42")
    field.press("Enter")
    expect(group).to_have_attribute("data-position", "10")
    page.wait_for_url(re.compile("t=2026-11-18T11:06:42.000000Z"))  # links know one zone
