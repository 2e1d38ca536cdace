"""An address is a place of the page: kept, sent, loaded again, gone back to."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pipeline.view.browser.scene import Scene

pytestmark = pytest.mark.needs_browser

NONSENSE = ("t=yesterday", "axis=nowhere", "layers=none,,such", "opacity=-5&split=%25", "%zz")


@pytest.fixture
def scene(book):
    scene = Scene("scene")
    scene.write(book)
    return scene


def looks(page, number):
    """What of the view an address is to keep."""
    group = page.get_by_role("group", name="Picture")
    expect(group).to_have_attribute("data-position", str(number))
    layers = page.get_by_role("region", name="Layers")
    chosen = [one.is_checked() for one in layers.get_by_role("checkbox").all()]
    return chosen, layers.get_by_role("slider").input_value(), page.locator(".split").is_visible()


def test_a_reload_keeps_what_is_looked_at(scene, shown):
    page = shown(scene.at(4)).page
    looks(page, 4)
    page.get_by_role("checkbox", name="segmentation").check()
    page.get_by_role("slider", name="Opacity").fill("35")
    page.get_by_role("button", name="Split").click()
    page.keyboard.press("ArrowRight")
    before = looks(page, 5)
    assert before == ([True, True], "35", True)
    page.wait_for_url(re.compile("t=1970-01-01T00:00:01.000000Z&.*opacity=35&split=50"))
    page.reload()
    assert looks(page, 5) == before


def test_back_leads_back(scene, shown):
    page = shown().page
    page.get_by_role("searchbox").fill("sce")
    page.get_by_role("link", name=re.compile("^scene")).click()
    looks(page, 0)
    expect(page).to_have_title("scene · dinostream")
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("sce")
    expect(page).to_have_title("dinostream")
    page.go_forward()
    looks(page, 0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Streams")).to_be_visible()


def test_another_stream_is_shown_at_the_same_time(scene, book, shown):
    Scene("other").write(book)
    page = shown(scene.at(4, layers="segmentation")).page
    looks(page, 4)
    page.get_by_role("combobox", name="Another stream").select_option("other")
    expect(page.get_by_role("heading", level=1)).to_have_text("other")
    assert looks(page, 4)[0] == [False, True]


def test_an_address_that_says_nonsense_leads_to_the_stream(scene, shown):
    tab = shown()
    for query in NONSENSE:
        tab.go(f"#/s/scene?{query}")
        looks(tab.page, 0)
