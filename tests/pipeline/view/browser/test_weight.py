"""What the page weighs, and how long it takes to stand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pipeline.view.browser.scene import Scene

pytestmark = pytest.mark.needs_browser

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
