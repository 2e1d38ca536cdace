"""Whoever sees little, or has no mouse, or a phone: contrast, names, focus, width."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import expect

from tests.browser import DESK, PHONE
from tests.pipeline.view.browser.scene import Scene
from tests.pipeline.view.conftest import RECORDING

pytestmark = pytest.mark.needs_browser

THEMES = ("light", "dark")
SIZES = {"desk": DESK, "phone": PHONE}
TOKEN = "a-token-of-sixteen-or-more"
GRAVE = ("serious", "critical")
LAID_OUT = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""
BESIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def filled(book, cameras):
    """A wall with every state, and a recording with something of everything."""
    cameras.lives("dock")
    cameras.breaks("gate", "disconnected", "no route to host")
    cameras.falls_silent("hall")
    cameras.connects("lane")
    scene = Scene("scene")
    scene.write(book)
    how = {"stream": "scene", "session": RECORDING}
    book.write(book.action(20, 24, "walks", **how), book.dead_letter(30, **how))
    return scene


def check(tab, name):
    """In both themes, on a desk and on a phone: by axe, in width, and by whoever looks at the
    pictures that are kept."""
    from axe_playwright_python.sync_playwright import Axe

    for (size, viewport), theme in itertools.product(SIZES.items(), THEMES):
        tab.page.set_viewport_size(viewport)
        tab.page.emulate_media(color_scheme=theme)
        tab.page.evaluate(LAID_OUT)
        tab.picture(f"{name}-{theme}-{size}")
        found = Axe().run(tab.page).response["violations"]
        grave = {
            one["id"]: [node["html"][:200] for node in one["nodes"]]
            for one in found
            if one["impact"] in GRAVE
        }
        assert grave == {}, (name, theme, size)
        assert tab.page.evaluate(BESIDE) == 0, (name, theme, size)


def test_the_wall_can_be_read_by_all(filled, shown):
    tab = shown()
    expect(tab.page.locator("canvas.drawn")).to_have_count(4)
    check(tab, "wall")


def test_a_stream_and_its_dialogs_can_be_read_by_all(filled, shown):
    tab = shown(filled.at(22, layers="depth,segmentation"))
    page = tab.page
    expect(page.get_by_role("group", name="Picture")).to_have_attribute("data-position", "22")
    expect(page.get_by_role("img", name="Picture of scene")).to_be_visible()
    expect(page.get_by_role("region", name="Events in view")).to_contain_text("walks")
    check(tab, "stream")
    page.get_by_role("button", name="depth", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("streamid")
    check(tab, "record")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Keyboard and help").click()
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    check(tab, "help")


def test_whoever_asks_for_a_token_can_be_read_by_all(filled, served, stack, look):
    tab = look(stack.enter_context(served(token=TOKEN)))
    tab.excuse("status of 401")
    tab.go()
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    check(tab, "token")


@pytest.mark.parametrize("where", ["wall", "stream"])
def test_everything_is_reached_by_keys_and_seen_to_be(filled, shown, where):
    tab = shown("#/" if where == "wall" else filled.at(22, layers="depth,segmentation", split=50))
    if where == "wall":
        expect(tab.page.get_by_role("main").get_by_role("link")).to_have_count(5)
    else:
        expect(tab.page.get_by_role("region", name="Legend")).to_contain_text("grass")
        expect(tab.page.get_by_role("region", name="Events in view")).to_contain_text("walks")
    places = tab.page.evaluate(PLACES)
    assert places > 5
    reached = []
    for _ in range(places):
        tab.page.keyboard.press("Tab")
        reached.append(tab.page.evaluate(FOCUSED))
    assert [place for place, _ in reached] == list(range(places))
    assert [place for place, seen in reached if not seen] == []


# What can be used, numbered in the order in which it stands.
PLACES = """() => {
  const wanted = "a[href], button, input, select, [tabindex='0']";
  window.places = [...document.querySelectorAll(wanted)]
    .filter((one) => one.checkVisibility() && !one.disabled);
  return window.places.length;
}"""
# Which of them has the focus, and whether an outline says so.
FOCUSED = """() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  const seen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
  return [window.places.indexOf(document.activeElement), seen];
}"""
