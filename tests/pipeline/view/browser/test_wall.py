"""All streams side by side, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.needs_browser


def test_a_wall(book, shown):
    book.write(*[book.frame(n) for n in range(5)])
    tab = shown()
    tile = tab.page.get_by_role("link", name="gate")
    expect(tile).to_be_visible()
