"""Keeps passwords out of everything that a person or another program may read.

Text or configuration values in -> the same with secrets replaced. Shapes of URLs are not enough
(libraries quote parts of them), so a value that was met once is replaced wherever it turns up.

People write passwords as they are, with a `#`, `/`, `?`, `@` or a blank that should be encoded. So
what follows `user:` is a secret up to the last `@` of the address: one with an `@` in its path is
told shorter than it is, which harms nobody.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
SHORTEST_VARIABLE = 8  # of the environment, where names are others': `AUTH_MODE` is `token`
SHORTEST = 3  # a shorter value is part of too many innocent words to be replaced everywhere

_ADDRESS = r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:\[\"'<>]*:)"
_IN_TEXT = re.compile(_ADDRESS + r"(?:(?!://)[^\s\"'<>])*@")
_WHOLE = re.compile(_ADDRESS + r"(?P<password>.*)@", re.DOTALL)
_CUT = re.compile(_ADDRESS + r"(?P<password>[^/?#]*).*", re.DOTALL)  # # may begin a comment
_PORTS = re.compile(r"\d*(,[^,:]+:\d*)*")
_DELIMITERS = {"#": "%23", "/": "%2F", "?": "%3F", "@": "%40", " ": "%20"}
_PLACE = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(:(?P<port>[0-9]{0,5}))?")
LAST_PORT = 65535
_CODES = ", ".join(f"{one} is {code}" for one, code in _DELIMITERS.items() if one != " ")
_FORM = f"want SCHEME://USER:PASSWORD@HOST:PORT/PATH, and percent-encode the password: {_CODES}"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)
_QUERY = re.compile(r"(?P<key>[?&;][A-Za-z0-9_.-]+=)(?P<value>[^&;\s\"'<>]+)")
_WHOLE_QUERY = re.compile(r"(?P<key>[?&;][A-Za-z0-9_.-]+=)(?P<value>[^&;]+)")
_SECRET_KEY = re.compile(
    r"password|passwd|passphrase|secret|token|credential|signature"
    r"|(^|[_.?&;-])(pass|pwd|api_?key|auth|sig|jaas)($|[_.-])",
    re.IGNORECASE,
)
# Of the environment, where a name that was taken for a secret's by mistake harms nobody.
_SECRET_VARIABLE = re.compile(r"key$|(^|_)pat$|(?<!com)(?<!by)pass$", re.IGNORECASE)
_SETTING = re.compile(
    r"(?:^|[;,\s])(?P<key>[A-Za-z][\w.-]*)\s*=\s*(?P<value>'[^']*'|\"[^\"]*\"|[^;\s]+)"
)
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")  # JWT: JSON in base64
_HEX = re.compile(r"%[0-9A-F]{2}")
_BASE64 = (b64encode, urlsafe_b64encode)

_PLACE_OF_ONE = "_file"  # a key that ends so names where a secret lies

_known: dict[str, set[str]] = {}  # first letters -> what is remembered and begins so


class Hidden(str):
    """A secret that does not show where whatever holds it is printed, such as a call's locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


def remember(*secrets: str) -> None:
    """Have `mask` replace these values everywhere from now on, in this process."""
    for secret in secrets:
        for form in _forms(secret):
            _known.setdefault(form[:SHORTEST], set()).add(form)


def forget(*secrets: str) -> None:
    """These values are secret no longer, as a token that was replaced by another."""
    for secret in secrets:
        for form in _forms(secret):
            _known.get(form[:SHORTEST], set()).discard(form)


def remember_url(url: str) -> None:
    """Remember the password of a URL and the secrets of its query; and user and password together
    as they go over http."""
    remember(*url_secrets(url))
    login, at, _ = _authority(url).rpartition("@")
    if at and ":" in login:
        remember(b64encode(unquote(login).encode()).decode())


def remember_environment(environ: Mapping[str, str]) -> None:
    """Remember the values of variables whose names say that they are secret, and the secrets of
    URLs and of connection strings (`AccountKey=...;`, `password=...`)."""
    for name, value in environ.items():
        if _is_variable(name) and len(value) >= SHORTEST_VARIABLE and not value.startswith("/"):
            remember(value)
        elif _URL.match(value):
            remember_url(value)
        remember(*(one for one in _settings(value) if len(one) >= SHORTEST_VARIABLE))


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for a process that has no use for its secrets: a proxy's alone stay."""
    return {
        name: value
        for name, value in environ.items()
        if name.lower().endswith("_proxy")
        or not (_is_variable(name) or url_secrets(value) or any(_settings(value)))
    }


def remember_urls(values: Any) -> None:
    """`remember_url` for every URL in values and their keys, at any depth; one may stand behind
    `NAME=`."""
    if isinstance(values, Mapping):
        values = [*values.keys(), *values.values()]
    if isinstance(values, list | tuple):
        for value in values:
            remember_urls(value)
    elif isinstance(values, str) and (found := _URL.search(values)):
        remember_url(found[0])


def url_secrets(url: str) -> tuple[str, ...]:
    """The secret parts of a URL: its password, and query values whose key says so.

    Of a password that should have been encoded the parts, too: libraries take them for a port, a
    path, a query.
    """
    password = _password(url)
    found = [password, *(re.split(r"[#/?@\s]", password) if unencoded(url) else ())]
    authority = _authority(url)
    if "@" in authority:
        found.append(authority.rpartition("@")[0].partition(":")[2])
    for query in _WHOLE_QUERY.finditer(url):
        if _SECRET_KEY.search(query["key"][:-1]):
            found += [query["value"], *re.split(r"[#\s]", query["value"])]
    return tuple(dict.fromkeys(secret for secret in found if secret))


def unencoded(url: str) -> str:
    """What to do about a URL whose password cannot be told from the rest of it; "" for others."""
    match = _WHOLE.match(url)
    if match is None:
        return ""
    authority = _authority(url)
    clear = "@" in authority or _PORTS.fullmatch(authority.partition(":")[2])
    wrong = [one for one in _DELIMITERS if one in match["password"]]
    if not set(wrong) & set("# ") and (clear or not set(wrong) & set("/?")):
        return ""
    codes = ", ".join(f"{'a blank' if one == ' ' else one} is {_DELIMITERS[one]}" for one in wrong)
    return f"percent-encode the password: {codes}"


def misread(url: str) -> str:
    """What is wrong with a URL whose host or port is none, as where its password ends too early; ""
    for others."""
    place = _PLACE.fullmatch(_authority(url).rpartition("@")[2])
    if place is None or (place["port"] and int(place["port"]) > LAST_PORT):
        return f"what stands behind the colon of its host is no port (0 to {LAST_PORT}); {_FORM}"
    return "" if place["host"] else f"it names no host; {_FORM}"


def mask(text: str) -> str:
    """Replace passwords of URLs, secret query values, tokens (JWT) and all that was remembered."""
    for begin, end in reversed([*_remembered(text)]):
        text = text[:begin] + MASK + text[end:]
    text = _TOKEN.sub(MASK, _IN_TEXT.sub(_mask_password, text))
    return _QUERY.sub(_mask_query, text)


def mask_url(url: str) -> str:
    """`mask` for text that is a URL and nothing else, so that a blank is a part of it."""
    if _WHOLE.match(url):
        url = _WHOLE.sub(_mask_password, url, count=1)
    elif _password(url):  # nobody knows where it ends
        url = _CUT.sub(lambda match: f"{match['before']}{MASK}", url, count=1)
    return mask(_WHOLE_QUERY.sub(_mask_query, url) if _URL.match(url) else url)


def _remembered(text: str) -> Iterator[tuple[int, int]]:
    """Where something stands that is remembered; what overlaps is one. However much there is, a
    letter of the text costs one look."""
    begin = end = 0
    for at in range(len(text) - SHORTEST + 1):
        known = _known.get(text[at : at + SHORTEST], ())
        longest = max((len(one) for one in known if text.startswith(one, at)), default=0)
        if longest and at >= end:
            if end:
                yield begin, end
            begin = at
        if longest:
            end = max(end, at + longest)
    if end:
        yield begin, end


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, and as programs write it: percent-encoded, in base64, quoted by JSON and
    by Python."""
    for plain in (secret, unquote(secret)):
        encoded = [quote(plain, safe=""), quote(plain), quote_plus(plain)]
        quoted = [json.dumps(plain)[1:-1], repr(plain)[1:-1]]
        coded = [code(plain.encode()).rstrip(b"=").decode() for code in _BASE64]
        forms = [plain, *encoded, *(_HEX.sub(_lower, one) for one in encoded), *quoted, *coded]
        yield from (form for form in forms if len(form) >= SHORTEST)


def _lower(match: re.Match[str]) -> str:
    return match[0].lower()


def _authority(url: str) -> str:
    return re.split(r"[/?#]", url.partition("://")[2])[0]


def _password(url: str) -> str:
    """Behind `user:`; what is no port where the rest of a URL, with its `@`, is missing."""
    if match := _WHOLE.match(url):
        return match["password"]
    cut = _CUT.match(url)
    return "" if cut is None or _PORTS.fullmatch(cut["password"]) else cut["password"]


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
    if values is not None and _is_secret(key):
        return MASK
    return mask_url(values) if isinstance(values, str) else values


def _is_secret(key: str) -> bool:
    return bool(_SECRET_KEY.search(key)) and not key.lower().endswith(_PLACE_OF_ONE)


def _is_variable(name: str) -> bool:
    """Whether a variable of the environment, or a part of a connection string, is secret."""
    return _is_secret(name) or bool(_SECRET_VARIABLE.search(name))


def _settings(text: str) -> Iterator[str]:
    """The secret values of a connection string."""
    for setting in _SETTING.finditer(text):
        if _is_variable(setting["key"]):
            yield setting["value"].strip("'\"")


def _mask_password(match: re.Match[str]) -> str:
    return f"{match['before']}{MASK}@"


def _mask_query(match: re.Match[str]) -> str:
    secret = _SECRET_KEY.search(match["key"][:-1])
    return match["key"] + (MASK if secret else match["value"])
