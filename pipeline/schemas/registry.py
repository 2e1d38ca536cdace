"""Tells a schema registry of our schemas, by the REST interface of Confluent's.

Names and schemas in -> what became of each. Nothing is ever deleted or overwritten there.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from operators.errors import DinostreamError, UsageError
from operators.format import JSON
from pipeline.records.topics import TOPICS, data_topics
from pipeline.schemas.catalogue import Json, of_value, schemas

TIMEOUT_S = 30.0
MOST_BYTES = 1 << 20  # of an answer
MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
NOT_FOUND, CONFLICT = 404, 409
LOOPBACK = ("127.0.0.1", "::1", "localhost")
UNREADABLE = (OSError, HTTPException, ValueError, RecursionError)  # what an answer may end in

STRATEGIES: Mapping[str, Callable[[str, str], str]] = {
    "topic": lambda prefix, topic: f"{prefix}.{topic}-value",
    "record": lambda _, topic: f"dinostream.{topic}.v1",
    "topic-record": lambda prefix, topic: f"{prefix}.{topic}-dinostream.{topic}.v1",
}
"""How a topic's subject is called, by Confluent's names for it without `NameStrategy`."""


class RegistryError(DinostreamError):
    """The registry cannot be reached, or does not do what it is asked."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of one schema.

    Attributes:
        subject: its name there.
        outcome: `registered`, `existing`, or `incompatible` with a version that is there.
        detail: what the registry says of that, or the number that it gave the schema.
    """

    subject: str
    outcome: str
    detail: str


class Registry:
    """One registry."""

    def __init__(self, url: str, login: str = "") -> None:
        """
        Args:
            url: such as http://127.0.0.1:8081.
            login: `USER:PASSWORD`, empty where none is needed.

        Raises:
            UsageError: the address is none, or would carry the password in the clear.
        """
        scheme, host = _place(url)
        if login and scheme == "http" and host not in LOOPBACK:
            raise UsageError(f"{url} would carry the password in the clear: use https://")
        self._url = url.rstrip("/")
        self._headers = {"content-type": MEDIA_TYPE, "accept": f"{MEDIA_TYPE}, application/json"}
        if login:
            encoded = base64.b64encode(login.encode()).decode()
            self._headers["authorization"] = f"Basic {encoded}"
        # Elsewhere would get the password, too; so would a proxy, whose loopback is another one.
        direct = [urllib.request.ProxyHandler({})] if host in LOOPBACK else []
        self._opener = urllib.request.build_opener(_NoRedirects, *direct)

    def register(self, subject: str, schema: Json) -> Registration:
        """Have a subject hold this schema; one that it has already is left as it is.

        Raises:
            RegistryError: it cannot be reached, or refuses for another reason than compatibility.
        """
        place = f"/subjects/{quote(subject, safe='')}"
        body = {"schemaType": "JSON", "schema": json.dumps(schema, sort_keys=True)}
        try:
            return Registration(subject, "existing", self._ask(place, body, "version"))
        except _Refused as refused:
            if refused.status != NOT_FOUND:
                raise
        try:
            return Registration(subject, "registered", self._ask(f"{place}/versions", body, "id"))
        except _Refused as refused:
            if refused.status != CONFLICT:
                raise
            return Registration(subject, "incompatible", refused.why)

    def _ask(self, path: str, body: Json, name: str) -> str:
        """The number of that name in the answer, behind its name."""
        request = urllib.request.Request(
            self._url + path, json.dumps(body).encode(), self._headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                answered: Any = json.loads(answer.read(MOST_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                raise _Refused(self._url, path, error.code, _told(error)) from None
        except UNREADABLE as error:
            why = getattr(error, "reason", error)
            raise RegistryError(f"no schema registry at {self._url}: {why}") from None
        number = answered.get(name) if isinstance(answered, dict) else None
        if not isinstance(number, int):
            raise RegistryError(
                f"{self._url} is no schema registry: what it answers {path} has no number {name!r}"
            )
        return f"{name} {number}"


class _Refused(RegistryError):
    """By an answer."""

    def __init__(self, url: str, path: str, status: int, why: str) -> None:
        super().__init__(f"schema registry {url} refuses {path}: {status} {why}")
        self.status, self.why = status, why


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def subjects(prefix: str, strategy: str) -> dict[str, Json]:
    """Subject -> schema of the values of each topic whose values are JSON; a registry has no use
    for those of pictures and vectors, and dinostream's own books are nobody's to read.

    Args:
        prefix: of the topics.
        strategy: one of `STRATEGIES`.
    """
    described = schemas()
    return {
        STRATEGIES[strategy](prefix, topic): described[of_value(topic)]
        for topic in data_topics([*TOPICS])
        if TOPICS[topic].format.content_type == JSON
    }


def _place(url: str) -> tuple[str, str]:
    """Scheme and host."""
    with suppress(ValueError):
        parts = urlsplit(url)
        plain = parts.username is None and parts.port != 0  # raises where the port is no number
        if parts.scheme in ("http", "https") and parts.hostname and plain:
            return parts.scheme, parts.hostname
    raise UsageError(
        "a registry is an address such as https://registry.example.org:8081, without user and "
        "password"
    )


def _told(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(MOST_BYTES))["message"])
    except (*UNREADABLE, KeyError, TypeError):
        return str(error.reason)
