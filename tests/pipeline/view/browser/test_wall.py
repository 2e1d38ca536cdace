"""All streams side by side."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import PHONE
from tests.pipeline.view.conftest import Book

pytestmark = pytest.mark.needs_browser

STATES = ("stalled", "reconnecting", "silent", "connecting", "live", "ended")


def test_what_is_wrong_with_a_stream_cannot_be_overlooked(cameras, shown):
    cameras.lives("dock")
    cameras.breaks("gate", "disconnected", "no route to host")
    cameras.breaks("yard", "stalled", "no packet for 10 s")
    cameras.falls_silent("hall")
    cameras.ends("barn")
    cameras.connects("lane")
    page = shown().page
    tiles = page.get_by_role("main").get_by_role("link")
    expect(tiles).to_have_count(6)
    expected = {
        "gate": ("reconnecting", "no route to host"),
        "hall": ("silent", "no record came, and nobody said why"),
        "yard": ("stalled", "no packet for 10 s"),
        "barn": ("ended", ""),
        "dock": ("live", ""),
        "lane": ("connecting", ""),
    }
    assert [tile.get_attribute("data-stream") for tile in tiles.all()] == list(expected)
    signs = set()
    for name, (state, reason) in expected.items():
        tile = page.get_by_role("link", name=re.compile(f"^{name}, {state}"))
        expect(tile).to_have_attribute("data-state", state)
        expect(tile).to_contain_text(state, ignore_case=True)
        expect(tile).to_contain_text(reason)
        assert (tile.get_attribute("data-troubled") is not None) == (
            name in ("gate", "hall", "yard")
        )
        signs.add(tile.locator(".badge path").get_attribute("d"))
    assert len(signs) == 6  # who does not see colours sees these
    expect(page.get_by_role("link", name="lane")).not_to_contain_text("recording")
    counts = page.get_by_role("list", name="Streams by state").get_by_role("listitem")
    expect(counts).to_have_text([f"1 {state}" for state in STATES])
    expect(page).to_have_title("(3 down) dinostream")


def test_streams_are_found_by_their_names(cameras, shown):
    for name in ("gate-2", "gate-10", "yard"):
        cameras.lives(name)
    page = shown().page
    tiles = page.get_by_role("main").get_by_role("link")
    expect(tiles).to_have_count(3)
    page.get_by_role("searchbox").fill("GATE")
    expect(tiles).to_have_count(2)
    assert [tile.get_attribute("data-stream") for tile in tiles.all()] == ["gate-2", "gate-10"]
    assert page.url.endswith("#/?text=GATE")
    page.get_by_role("searchbox").fill("pond")
    expect(page.get_by_role("main")).to_contain_text("No stream's name has “pond” in it.")


def test_what_is_out_of_sight_is_not_sent(cameras, shown):
    names = [f"cam{number}" for number in range(12)]
    for name in names:
        cameras.lives(name)
    page = shown(viewport=PHONE).page
    expect(page.get_by_label("Map of depth of cam0")).to_be_visible()
    expect(page.get_by_label("No picture of cam11 yet")).to_be_attached()
    page.get_by_role("link", name="cam11").scroll_into_view_if_needed()
    expect(page.get_by_label("Map of depth of cam11")).to_be_visible()
    expect(page.get_by_label("No picture of cam5 yet")).to_be_attached()


def test_a_stream_that_nobody_wrote_is_told_with_the_nearest(cameras, shown):
    cameras.lives("gate")
    tab = shown("#/s/gat")
    tab.excuse("status of 404")
    expect(tab.page.get_by_role("main")).to_contain_text("no stream 'gat'; did you mean gate")
    tab.page.get_by_role("link", name="All streams").click()
    expect(tab.page.get_by_role("link", name="gate, live")).to_be_visible()


def test_a_sink_that_is_empty_fills(book, cameras, shown, tmp_path):
    book.sink.close()
    put_aside(book, tmp_path)
    page = shown().page
    expect(page.get_by_role("main")).to_contain_text("Nobody has written records to sqlite:")
    page.evaluate("() => { window.same = true }")
    cameras.book = Book(book.path)
    cameras.lives("gate")
    expect(page.get_by_role("link", name="gate, live")).to_be_visible()
    assert page.evaluate("window.same")
    cameras.book.sink.close()


def test_a_sink_goes_away_comes_back_and_is_another_one(book, cameras, shown, tmp_path):
    cameras.lives("gate")
    book.sink.close()
    page = shown().page
    gate, banners = page.get_by_role("link", name="gate, live"), page.locator("#banners")
    expect(gate).to_be_visible()
    page.evaluate("() => { window.same = true }")
    aside = put_aside(book, tmp_path)
    expect(banners).to_contain_text("The sink is away since")
    expect(gate).to_be_visible()  # what was known stays, and is told to be old
    expect(page.locator(":root")).to_have_attribute("data-stale", "")
    for path in aside.iterdir():
        path.rename(book.path.parent / path.name)
    expect(banners).to_be_empty()
    put_aside(book, tmp_path)
    cameras.book = Book(book.path)
    cameras.lives("yard")
    cameras.book.sink.close()
    expect(page.get_by_role("link", name="yard, live")).to_be_visible()
    expect(gate).to_have_count(0)
    assert page.evaluate("window.same")


def put_aside(book, folder):
    """Its database, and what lies beside it."""
    aside = folder / "aside"
    aside.mkdir(exist_ok=True)
    for path in book.path.parent.glob("results.db*"):
        path.rename(aside / path.name)
    return aside


def test_a_server_goes_away_and_comes_back(cameras, served, look):
    cameras.lives("gate")
    with served() as url:
        tab = look(url)
        tab.excuse("ERR_CONNECTION_REFUSED|WebSocket connection")
        tab.go()
        expect(tab.page.get_by_role("link", name="gate, live")).to_be_visible()
        tab.page.evaluate("() => { window.same = true }")
    banners = tab.page.locator("#banners")
    expect(banners).to_contain_text("The server cannot be reached")
    expect(tab.page).to_have_title("(disconnected) dinostream")
    cameras.lives("yard")
    with served(port=int(url.rpartition(":")[2])):
        expect(banners).to_be_empty()
        expect(tab.page.get_by_role("link", name="yard, live")).to_be_visible()
        assert tab.page.evaluate("window.same")
