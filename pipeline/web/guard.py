"""Who may talk to a job's HTTP service: programs by its token, browsers by its names.

A page that a browser has open may send requests to loopback too: under the name of a server of its
own that it has made point here, which `Host` tells; or under ours and with our cookie, which
`Origin` tells. Both are held against the names that we know, and never only against each other:
both can be the page's own.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.web.place import Place
from pipeline.web.problem import Problem, problem_response
from pipeline.web.session import UNKNOWN, Session, same

PROBES = (
    "/livez",
    "/readyz",
    "/startupz",
)  # kubelets bring no token; these tell no more than a word
SESSION = "/session"
BEARER = "Bearer "
_SAFE = ("GET", "HEAD", "OPTIONS")
_AUTHORITY = re.compile(r"(?P<name>[^][\s:/?#@]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?")


class Guard:
    """An application that answers whoever may ask, requests and WebSockets alike."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app = app
        self._place = place
        self._session = Session(place)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if problem := self._problem(scope):
            app = problem_response(problem)
        elif scope["type"] == "http" and scope["path"] == SESSION:
            app = self._session
        await app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers, place = Headers(scope=scope), self._place
        socket = scope["type"] == "websocket"
        if not socket and scope["path"] in PROBES:
            return None
        said = headers.get("authorization", "")
        if place.token and said.startswith(BEARER):
            return None if same(said.removeprefix(BEARER), place.token) else UNKNOWN
        if problem := self._strange(headers, origin=socket or scope["method"] not in _SAFE):
            return problem
        open_to_all = not place.token or (not socket and _tells_nothing(scope["path"]))
        return None if open_to_all or self._session.knows(headers.get("cookie", "")) else UNKNOWN

    def _strange(self, headers: Headers, *, origin: bool) -> Problem | None:
        """A browser that calls us by a name that is not ours, or, where `origin` matters, for a
        page that is not. Other programs say no origin, and need none."""
        host = _AUTHORITY.fullmatch(headers.get("host", "").lower())
        if host is None or not self._is_ours(host):
            return Problem(
                403,
                "this service answers to the names of loopback, its own and those that "
                "--allow-host names; others want Authorization: Bearer",
            )
        if origin and "origin" in headers and not self._is_our_page(headers["origin"], host):
            return Problem(403, "pages of other origins may not ask this")
        return None

    def _is_our_page(self, origin: str, host: re.Match[str]) -> bool:
        scheme, _, authority = origin.lower().partition("://")
        page = _AUTHORITY.fullmatch(authority)
        if scheme not in ("http", "https") or page is None or not self._is_ours(page):
            return False
        # On another port of this machine others have their pages. Where a proxy stands between, it
        # may not say the port that the browser knows.
        return page["port"] == host["port"] or page["name"] in self._place.allowed

    def _is_ours(self, authority: re.Match[str]) -> bool:
        return self._place.is_called(authority["name"].removeprefix("[").removesuffix("]"))


def _tells_nothing(path: str) -> bool:
    """The page itself is as everybody has it, and asks for the token."""
    return path in ("/", SESSION) or path.startswith("/static/")
