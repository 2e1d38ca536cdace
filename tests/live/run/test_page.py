"""A run's own page in a browser: what befalls one camera is seen there, and of it alone."""

import re
import signal
from datetime import datetime

import pytest
from playwright.sync_api import expect

from operators.moment import microseconds
from pipeline.control.client import Client

pytestmark = pytest.mark.needs_browser

PATIENCE_S = 30.0  # a camera that is lost is to be red within 3 s; machines may be busy
# Every state of every tile, with when it was there on the clock that the records have too.
STORY = """() => {
  window.story = [];
  const note = ({ dataset: { stream, state } }) => {
    const time_us = 1000 * (performance.timeOrigin + performance.now());
    window.story.push({ stream, state, time_us });
  };
  document.querySelectorAll("[data-stream]").forEach(note);
  new MutationObserver((changes) => changes.forEach(({ target }) => note(target)))
    .observe(document.body, { subtree: true, attributeFilter: ["data-state"] });
}"""


@pytest.fixture
def watched(camera, live_run, look):
    """Two cameras of one run, and their tiles in a window."""
    cameras = {"gate": camera(), "yard": camera()}
    streams = {name: {"url": one.url()} for name, one in cameras.items()}
    config = {"streams": streams, "operators": {"depth": {"fps": 5}}, "stall_s": 6.0}
    run = live_run(config, options=("--listen", "127.0.0.1:0"))
    url = run.until(lambda: re.search(r"removed at (http://[^/\s]+)", run.stderr))[1]
    tab = look(url)
    tab.excuse("ERR_CONNECTION_REFUSED|WebSocket connection")
    tab.go()
    for name in cameras:
        expect(tile(tab, name, "live")).to_be_visible()
    tab.page.evaluate(STORY)
    return cameras, run, tab


def tile(tab, name, state):
    """Of a stream in that state."""
    return tab.page.get_by_role("link", name=re.compile(f"^{name}, {state}"))


def told(tab, name):
    """Its states on the page, each once in a row, and when they were there."""
    found = []
    for one in tab.page.evaluate("window.story"):
        if one["stream"] == name and (not found or found[-1][0] != one["state"]):
            found.append((one["state"], one["time_us"]))
    return found


def noticed_us(run, stream, kind):
    """When the run noticed it first, by the event's own word."""
    records = run.records("events", stream)
    kinds = [event["kind"] for event in run.events(stream)]
    headers, _ = records[kinds.index(kind)]
    return microseconds(datetime.fromisoformat(headers["ce_ingesttime"]))


def is_killed_and_comes_back(gate, run, tab):
    gate.kill()
    gone = tile(tab, "gate", "reconnecting")
    expect(gone).to_have_css("border-color", colour(tab, "--bad"))
    expect(tab.page).to_have_title("(1 down) dinostream")
    gate.start()
    expect(tile(tab, "gate", "live")).to_be_visible()
    (first, _), (lost, lost_us), (last, _) = told(tab, "gate")
    assert (first, lost, last) == ("live", "reconnecting", "live")
    late_s = (lost_us - noticed_us(run, "gate", "disconnected")) / 1e6
    print(f"red {late_s:.2f} s after its event was noticed")
    assert 0 < late_s < PATIENCE_S
    assert [state for state, _ in told(tab, "yard")] == ["live"]


def colour(tab, name):
    """As the page's style has it, as a browser says it."""
    return tab.page.evaluate(
        "(name) => getComputedStyle(document.documentElement).getPropertyValue(name)", name
    )


def is_paused_and_resumed(tab):
    Client(tab.url).turn("yard", "pause")
    expect(tile(tab, "yard", "paused")).to_be_visible()
    Client(tab.url).turn("yard", "resume")
    expect(tile(tab, "yard", "live")).to_be_visible()


def is_looked_at_while_pictures_come(tab):
    moves(tile(tab, "gate", "live").locator("canvas"))
    tile(tab, "gate", "live").click()
    moves(tab.page.get_by_role("group", name="Picture"))
    expect(tab.page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")


def moves(picture):
    """It shows a frame, and then another one."""
    expect(picture).to_have_attribute("data-position", re.compile(r"\d"))
    shown = picture.get_attribute("data-position")
    expect(picture).not_to_have_attribute("data-position", shown)


def test_a_run_is_seen_as_it_fares(watched):
    cameras, run, tab = watched
    is_killed_and_comes_back(cameras["gate"], run, tab)
    is_paused_and_resumed(tab)
    is_looked_at_while_pictures_come(tab)
    run.signal(signal.SIGTERM)
    expect(tab.page.locator("#banners")).to_contain_text("The server cannot be reached")
    assert run.exit_code() == 0, run.stderr
