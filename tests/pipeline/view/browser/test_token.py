"""Who has no token sees no record, and a token is seen nowhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.needs_browser

TOKEN = "a-token-of-sixteen-or-more"
WRONG = "another-token-of-some-length"


@pytest.fixture
def locked(cameras, served, stack, look):
    """A page that asks for a token, in a window."""
    cameras.lives("gate")
    tab = look(stack.enter_context(served(token=TOKEN)))
    tab.excuse("status of 401")
    yield tab
    asked = [url for url in tab.urls if TOKEN in url or WRONG in url]
    assert asked == []


def test_a_wrong_one_is_refused_and_the_right_one_opens(locked):
    locked.go()
    dialog = locked.page.get_by_role("dialog", name="A token is needed")
    field = dialog.get_by_label("Token")
    expect(field).to_have_attribute("type", "password")
    assert locked.page.get_by_role("link", name="gate").count() == 0
    field.fill(WRONG)
    field.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("That is not the token.")
    field.fill(TOKEN)
    field.press("Enter")
    expect(locked.page.get_by_role("link", name="gate, live")).to_be_visible()
    expect(dialog).to_have_count(0)
    locked.page.reload()  # the cookie is kept
    expect(locked.page.get_by_role("link", name="gate, live")).to_be_visible()


def test_the_one_in_the_address_vanishes_from_it(locked):
    locked.go(f"#token={TOKEN}")
    expect(locked.page.get_by_role("link", name="gate, live")).to_be_visible()
    assert TOKEN not in locked.page.url
    assert TOKEN not in locked.page.content()
    kept = locked.page.evaluate("() => document.cookie + JSON.stringify({...localStorage})")
    assert TOKEN not in kept
    assert locked.page.evaluate("history.length") <= 2  # and there is no way back to it


def test_a_wrong_one_in_the_address_is_asked_for(locked):
    locked.go(f"#token={WRONG}")
    expect(locked.page.get_by_role("dialog", name="A token is needed")).to_be_visible()
    assert WRONG not in locked.page.url
