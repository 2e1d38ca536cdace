"""What a browser holds instead of the token: a cookie, which no script of a page can read.

A token once -> a cookie that is made of it. It needs no memory here, so that it outlives the
service, and it ends with the token.
"""

from __future__ import annotations

import hmac

from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipeline.secrets import remember
from pipeline.web.body import json_object
from pipeline.web.place import TOKEN, Place
from pipeline.web.problem import Problem, problem_response

UNKNOWN = Problem(401, f"say Authorization: Bearer with the value of {TOKEN}")


class Session:
    """Of one service. As an application it answers `POST /session` with `{"token": ...}`: 204 and
    the cookie, or 401; where no token is needed, 204."""

    def __init__(self, place: Place) -> None:
        self._token = place.token
        self._name = f"dinostream-{place.port}"  # a browser sends a cookie to all ports of a host
        self._value = hmac.new(place.token.encode(), self._name.encode(), "sha256").hexdigest()
        remember(self._value)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._begin(Request(scope, receive))
        except Problem as problem:
            response = problem_response(problem)
        await response(scope, receive, send)

    def knows(self, cookies: str) -> bool:
        """Whether the cookies of a request, as they came, hold the right one."""
        return same(cookie_parser(cookies).get(self._name, ""), self._value)

    async def _begin(self, request: Request) -> Response:
        if request.method != "POST":
            raise Problem(405, 'a session begins with POST and {"token": ...}')
        given = (await json_object(request)).get("token")
        response = Response(status_code=204)
        if self._token:
            if not (isinstance(given, str) and same(given, self._token)):
                raise UNKNOWN
            # Not `secure`: whether TLS stands in front of it is not known here.
            response.set_cookie(self._name, self._value, httponly=True, samesite="strict")
        return response


def same(given: str, secret: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode(errors="replace"), secret.encode())
