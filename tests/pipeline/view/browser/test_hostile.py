"""Text of records is text, whoever wrote it."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import expect

from operators.png import palette_png
from pipeline.records.message import labels_message, wall_clock_us
from tests.pipeline.view.conftest import SECOND_US

pytestmark = pytest.mark.needs_browser

MARKUP = "<img src=x onerror=window.pwned=1>"
LINK = "javascript:window.pwned=1"


@pytest.mark.parametrize("hostile", [MARKUP, LINK, '"><svg onload=window.pwned=1>'])
def test_what_a_record_says_is_shown_and_not_run(book, shown, hostile):
    book.now_us = wall_clock_us()
    how = {"stream": hostile, "session": str(book.now_us - 10 * SECOND_US), "labelset": hostile}
    book.write(*(book.frame(n, **how) for n in range(10)))
    classes = palette_png(np.zeros((3, 4), np.uint8), [(1, 2, 3)])
    book.write(*(book.frame(n, topic="segmentation", value=classes, **how) for n in range(10)))
    book.write(labels_message(hostile, [{"id": 0, "name": hostile, "rgb": [1, 2, 3]}]))
    where = {"stream": hostile, "session": how["session"]}
    book.write(book.action(0, 8, hostile, **how))
    book.write(book.event("disconnected", 9, detail=hostile, **where))
    tab = shown()
    page = tab.page
    tile = page.get_by_role("link", name=hostile)
    expect(tile).to_contain_text(hostile)
    expect(tile).to_contain_text("reconnecting", ignore_case=True)
    tile.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(hostile)
    assert page.url.startswith(f"{tab.url}/#/s/{quote(hostile, safe='')}")
    events = page.get_by_role("region", name="Events in view")
    expect(events).to_contain_text(hostile)
    group = page.get_by_role("group", name="Picture")
    expect(group).to_have_attribute("data-position", "9")
    page.get_by_role("checkbox", name="segmentation").check()
    expect(page.get_by_role("region", name="Legend")).to_contain_text(hostile)
    events.get_by_role("button", name="Record of").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(hostile)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, body script, svg[onload]").count() == 0
