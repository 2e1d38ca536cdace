"""What the page weighs, and how long it takes to stand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pipeline.view.browser.scene import Scene

pytestmark = pytest.mark.needs_browser

MANY = 10_000  # frames
MOST_BYTES = 300_000  # of everything but pictures, before anything is packed
FIRST = """() => {
  const look = new MutationObserver(() => {
    if (!document.querySelector("canvas.drawn, .stage[data-position]")) return;
    window.first_ms = performance.now();
    look.disconnect();
  });
  look.observe(document, { subtree: true, childList: true, attributes: true });
}"""
BYTES = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const parts = performance.getEntriesByType("resource");
  const others = parts.filter(({ name }) => !/view.(frame|map)/.test(name));
  return [page, ...others].reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
}"""
TOLD = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("/view/"))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""


@pytest.mark.parametrize("where", ["wall", "stream"])
def test_it_is_light_and_stands_soon(book, served, stack, look, where):
    scene = Scene("scene")
    scene.write(book)
    tab = look(stack.enter_context(served()))
    tab.page.add_init_script(f"({FIRST})()")
    tab.go("#/" if where == "wall" else scene.at(7, layers="depth"))
    expect(tab.page.locator("canvas.drawn, .stage[data-position]")).to_have_count(1)
    weight = tab.page.evaluate(BYTES)
    first_ms = tab.page.evaluate("window.first_ms")
    print(f"{where}: {weight / 1000:.0f} kB, a picture after {first_ms:.0f} ms")
    assert 20_000 < weight < MOST_BYTES


def test_a_long_recording_costs_what_is_looked_at(book, shown):
    for first in range(0, MANY, 1000):
        numbers = range(first, first + 1000)
        book.write(*(book.frame(number) for number in numbers))
        book.write(*(book.action(number, number + 4, f"does {number % 9}") for number in numbers))
    tab = shown("#/s/gate?layers=depth")
    group = tab.page.get_by_role("group", name="Picture")
    expect(group).to_have_attribute("data-position", str(MANY - 1))
    tab.page.get_by_role("slider", name="Time").press("Home")
    expect(group).to_have_attribute("data-position", "0")
    for _ in range(3):
        with tab.page.expect_response("**/view/timeline?*"):
            tab.page.keyboard.press("-")
    told = tab.page.evaluate(TOLD)
    print(f"{2 * MANY} records: {told / 1000:.0f} kB were told of them")
    assert told < 60_000
