"""Speaks to the HTTP service of a job that runs, for the command line."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from operators.errors import DinostreamError, UsageError

TIMEOUT_S = 10.0


class ServiceError(DinostreamError):
    """The service cannot be reached, or answers what it never should."""


class Client:
    """Of one service.

    Attributes:
        url: its address.
    """

    def __init__(self, url: str, token: str = "") -> None:
        """
        Args:
            url: such as http://127.0.0.1:8600.
            token: empty where none is needed.
        """
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"a service is an address such as http://127.0.0.1:8600, got {url}")
        self.url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def streams(self) -> list[dict[str, Any]]:
        """All of them."""
        found: list[dict[str, Any]] = self._ask("GET", "/v1/streams")["streams"]
        return found

    def put(self, name: str, config: Mapping[str, Any], *, only_new: bool) -> dict[str, Any]:
        """Have a stream be so; where `only_new`, refused where there is one of that name."""
        more = {"if-none-match": "*"} if only_new else {}
        return self._ask("PUT", _path(name), config, more)

    def patch(self, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Have some keys of a stream's entry be so; None takes one out."""
        return self._ask("PATCH", _path(name), changes)

    def remove(self, name: str) -> None:
        """Have a stream finish and be forgotten."""
        self._ask("DELETE", _path(name))

    def turn(self, name: str, what: str) -> dict[str, Any]:
        """`pause` a stream, or `resume` it."""
        return self._ask("POST", f"{_path(name)}:{what}")

    def _ask(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        given = {**self._headers, **(headers or {})}
        given |= {} if data is None else {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, given, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise UsageError(_detail(error)) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", error)
            raise ServiceError(
                f"no service at {self.url}: {why}; `dinostream run CONFIG --listen HOST:PORT` "
                "opens one"
            ) from None
        try:
            answered: dict[str, Any] = json.loads(text) if text else {}
        except ValueError:
            raise ServiceError(f"{self.url} is no service of dinostream") from None
        return answered


def _path(name: str) -> str:
    return f"/v1/streams/{quote(name, safe='')}"


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.url} answered {error.code} {error.reason}"
