"""Keeps passwords out of everything that a person or another program may read.

Text or configuration values in -> the same with secrets replaced. Shapes of URLs are not enough
(libraries quote parts of them), so a value that was met once is replaced wherever it turns up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

MASK = "***"
SHORTEST = 3  # a shorter value is part of too many innocent words to be replaced everywhere

_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<userinfo>[^\s/?#\"'<>]*)@")
_QUERY = re.compile(r"(?P<key>[?&;][A-Za-z0-9_.-]+=)(?P<value>[^&;#\s\"'<>]+)")
_SECRET_KEY = re.compile(
    r"password|passwd|passphrase|secret|token|credential|signature"
    r"|(^|[_.?&;-])(pass|pwd|api_?key|auth|sig|jaas)($|[_.-])",
    re.IGNORECASE,
)

_known: set[str] = set()


def remember(*secrets: str) -> None:
    """Have `mask` replace these values everywhere from now on, in this process."""
    for secret in secrets:
        for form in (secret, unquote(secret), quote(secret, safe=""), quote(secret)):
            if len(form) >= SHORTEST:
                _known.add(form)


def remember_url(url: str) -> None:
    """Remember the password of a URL and the secrets of its query."""
    remember(*url_secrets(url))


def url_secrets(url: str) -> tuple[str, ...]:
    """The secret parts of a URL: its password, and query values whose key says so."""
    match = _USERINFO.match(url)
    found = []
    if match and ":" in match["userinfo"]:
        found.append(match["userinfo"].split(":", 1)[1])
    try:
        query = urlsplit(url).query
    except ValueError:  # a malformed host; nothing will be opened with it either
        return tuple(found)
    found += [value for key, value in parse_qsl(query) if _SECRET_KEY.search(key)]
    return tuple(secret for secret in found if secret)


def mask(text: str) -> str:
    """Replace passwords of URLs, secret query values and every value that was remembered."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _USERINFO.sub(_mask_userinfo, text)
    return _QUERY.sub(_mask_query, text)


def mask_values(values: Any, key: str = "") -> Any:
    """Configuration values with their secrets replaced, at any depth; the input is not changed.

    Args:
        values: JSON values.
        key: the name they stand under; a name such as `sasl_plain_password` makes a secret.
    """
    if isinstance(values, Mapping):
        return {name: mask_values(value, str(name)) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [mask_values(value, key) for value in values]
    if values is not None and _SECRET_KEY.search(key):
        return MASK
    return mask(values) if isinstance(values, str) else values


def _mask_userinfo(match: re.Match[str]) -> str:
    user, colon, _ = match["userinfo"].partition(":")
    return f"{match['scheme']}{user}{colon}{MASK if colon else ''}@"


def _mask_query(match: re.Match[str]) -> str:
    secret = _SECRET_KEY.search(match["key"][:-1])
    return match["key"] + (MASK if secret else match["value"])
