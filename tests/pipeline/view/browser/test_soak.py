"""A wall that is left open: nothing is lost in silence, nothing piles up, it is never behind."""

from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from pipeline.records.message import wall_clock_us
from tests.pipeline.view.browser.scene import Scene

pytestmark = pytest.mark.needs_browser

SOAK_S = float(os.environ.get("SOAK_S", "20"))
STREAMS = [f"cam{number:02}" for number in range(16)]
EVERY_S = 0.5
SHARE = 0.95  # of what is sent, drawn or told to be left out
MORE_BYTES = 2_000_000  # by which a heap may grow, swept
# How many pictures each tile has drawn, and how many the server says that it left out.
COUNTED = """() => {
  window.drawn = {};
  window.left_out = 0;
  const count = ({ target }) => {
    const { stream } = target.closest("[data-stream]").dataset;
    window.drawn[stream] = (window.drawn[stream] ?? 0) + 1;
  };
  new MutationObserver((changes) => changes.forEach(count))
    .observe(document, { subtree: true, attributeFilter: ["data-position"] });
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (...said) {
    this.heard ??= this.addEventListener("message", ({ data }) => {
      const told = typeof data === "string" ? JSON.parse(data) : {};
      if (told.kind === "skipped") window.left_out += told.pictures;
    }) ?? true;
    return send.apply(this, said);
  };
}"""
# Whether every tile shows that frame or a later one.
SHOWS = """(number) => [...document.querySelectorAll("[data-stream] canvas")]
  .every(({ dataset: { position } }) => Number(position) >= number)"""
# Whoever draws a picture waits at a gate, which is open.
GATED = """() => {
  const real = createImageBitmap;
  window.gate = Promise.resolve();
  window.createImageBitmap = async (...what) => {
    await window.gate;
    return real(...what);
  };
}"""


class Cameras(threading.Thread):
    """All of them write a picture at a time.

    Attributes:
        written: pictures of each.
    """

    def __init__(self, book) -> None:
        super().__init__(name="cameras")
        self.book, self.written = book, 0
        self.session = str(wall_clock_us())
        self._over = threading.Event()
        noise = np.random.default_rng(0).integers(0, 255, (12, 20, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).resize((320, 180)).save(file, "JPEG", quality=75)
        self._picture = file.getvalue()

    def write(self) -> None:
        self.book.now_us = wall_clock_us()
        how = {"topic": "frames", "session": self.session, "time_us": self.book.now_us}
        how["value"] = self._picture
        self.book.write(*(self.book.frame(self.written, stream=one, **how) for one in STREAMS))
        self.written += 1

    def run(self) -> None:
        while not self._over.wait(EVERY_S):
            self.write()

    def end(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def at_work(book):
    """Cameras that write until the end of a block."""

    @contextmanager
    def started() -> Iterator[Cameras]:
        cameras = Cameras(book)
        cameras.write()
        cameras.start()
        try:
            yield cameras
        finally:
            cameras.end()

    return started


class Memory:
    """What a page holds, swept before each look."""

    def __init__(self, page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable")

    def look(self) -> dict[str, float]:
        self._devtools.send("HeapProfiler.collectGarbage")
        told = self._devtools.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in told}


def test_sixteen_streams_are_followed_for_as_long_as_they_last(at_work, served, stack, look):
    with at_work() as cameras:
        tab = look(stack.enter_context(served()))
        tab.page.add_init_script(f"({COUNTED})()")
        tab.go()
        drawn = tab.page.locator("canvas.drawn")
        expect(drawn).to_have_count(len(STREAMS))
        memory = Memory(tab.page)
        before, (drawn_before, left_out_before) = memory.look(), counts(tab)
        written_before = cameras.written
        enough = written_before + SOAK_S / EVERY_S
        tab.page.wait_for_function(SHOWS, arg=enough, timeout=1000 * (2 * SOAK_S + 60))
    last = str(cameras.written - 1)
    for stream in STREAMS:
        tile = tab.page.locator(f"[data-stream={stream}] canvas")
        expect(tile).to_have_attribute("data-position", last)  # it is not behind
    after, (drawn_after, left_out_after) = memory.look(), counts(tab)
    sent = cameras.written - written_before
    updates = {one: drawn_after[one] - drawn_before[one] for one in STREAMS}
    left_out = left_out_after - left_out_before
    heap = after["JSHeapUsedSize"] - before["JSHeapUsedSize"]
    nodes = [round(one["Nodes"]) for one in (before, after)]
    print(
        f"{sent} pictures of each stream, drawn {min(updates.values())} to "
        f"{max(updates.values())}, {left_out} left out of all; heap {heap / 1000:+.0f} kB of "
        f"{before['JSHeapUsedSize'] / 1000:.0f}, nodes {nodes}"
    )
    assert sum(updates.values()) + left_out >= SHARE * sent * len(STREAMS)
    assert heap < MORE_BYTES
    assert nodes[1] - nodes[0] < 8 * len(STREAMS)  # fewer than one for each picture


def counts(tab):
    """Pictures drawn by stream, and left out of all."""
    return tab.page.evaluate("[window.drawn, window.left_out]")


def test_a_browser_that_is_slow_is_told_and_goes_on_with_the_newest(at_work, served, stack, look):
    with at_work() as cameras:
        tab = look(stack.enter_context(served()))
        tab.page.add_init_script(f"({GATED})()")
        tab.go()
        expect(tab.page.locator("canvas.drawn")).to_have_count(len(STREAMS))
        tab.page.evaluate("() => { window.gate = new Promise((open) => (window.opens = open)) }")
        told = re.compile("^[1-9][0-9]* pictures left out")
        expect(tab.page.get_by_text(told)).to_be_visible()
        newest = cameras.written - 1
        tab.page.evaluate("() => window.opens()")
        tab.page.wait_for_function(SHOWS, arg=newest)


def test_views_that_are_left_leave_nothing_behind(book, shown):
    Scene("scene").write(book)
    tab = shown()
    memory = Memory(tab.page)
    held = []
    for _ in range(4):
        tab.page.get_by_role("link", name="scene").click()
        group = tab.page.get_by_role("group", name="Picture")
        expect(group).to_have_attribute("data-position", "0")
        tab.page.keyboard.press("Escape")
        expect(tab.page.locator("canvas.drawn")).to_have_count(1)
        held.append({name: memory.look()[name] for name in ("Nodes", "JSEventListeners")})
    more = {name: held[3][name] - held[1][name] for name in held[0]}
    assert max(more.values()) < 300, held  # two views of a stream have a thousand nodes
