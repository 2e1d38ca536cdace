"""A real browser that looks at our page, and whatever no page of ours may do."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KEPT = Path(__file__).parents[1] / "results" / "browser"  # pictures, and traces of failures
PATIENCE_MS = 60_000  # for anything that will happen; only a failure waits so long
DESK = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 740}
HABITS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nobody else is reached
)


def chromium() -> str | None:
    """Where it is: what BROWSER names, else by its usual names."""
    named = os.environ.get("BROWSER")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """Chromium, for all tests of a process."""

    def __init__(self, path: str) -> None:
        from playwright.sync_api import expect, sync_playwright

        expect.set_options(timeout=PATIENCE_MS)
        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(executable_path=path, args=HABITS)
        self._loop = asyncio.get_running_loop()
        self._let_go()

    @contextmanager
    def held(self) -> Iterator[Browser]:
        """Used in the block alone: Playwright's loop counts as running in this thread for as long,
        and other tests want to run their own."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self
        finally:
            self._let_go()

    @contextmanager
    def tab(self, url: str, **options: Any) -> Iterator[Tab]:
        """A window that knows nothing of others, on nothing yet."""
        context = self._chromium.new_context(**{"viewport": DESK} | options)
        context.set_default_timeout(PATIENCE_MS)
        context.tracing.start(snapshots=True)
        try:
            yield Tab(context, url)
        finally:
            context.close()

    def close(self) -> None:
        with self.held():
            self._chromium.close()
            self._playwright.stop()

    def _let_go(self) -> None:
        asyncio._set_running_loop(None)


class Tab:
    """One window.

    Attributes:
        page: as Playwright has it.
        urls: all that it asked for.
        faults: what our page must not do: errors, warnings of the policy, questions to others.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.urls: list[str] = []
        self.faults: list[str] = []
        self._excused = ["willReadFrequently"]  # pixels are read by tests alone
        self._context = context
        self.page = context.new_page()
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", lambda socket: self._asked(f"http{socket.url[2:]}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("crash", lambda _: self.faults.append("crashed"))
        self.page.on("console", lambda told: self._said(told.type, told.text))

    def go(self, address: str = "#/") -> None:
        """To a place of the page, loading it anew."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/{address}", wait_until="commit")

    def excuse(self, pattern: str) -> None:
        """What a test brings about is no fault."""
        self._excused.append(pattern)

    def unexcused(self) -> list[str]:
        """What nobody has excused."""
        return [
            fault
            for fault in self.faults
            if not any(re.search(pattern, fault) for pattern in self._excused)
        ]

    def picture(self, name: str) -> None:
        """Keep what is seen, and what lies below."""
        self.page.screenshot(path=KEPT / f"{name}.png", full_page=True)

    def keep(self, name: str) -> None:
        """What happened, for somebody to find out why."""
        self.picture(name)
        self._context.tracing.stop(path=KEPT / f"{name}.trace.zip")

    def _asked(self, url: str) -> None:
        self.urls.append(url)
        ours = (f"{self.url}/", f"blob:{self.url}/", "about:blank")
        if not url.startswith(ours):
            self.faults.append(f"asked {url}")

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.faults.append(f"console {kind}: {text}")
