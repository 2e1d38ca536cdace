"""Objects of an S3 store: listed through s3fs, read over http(s) with requests that it signs.

So they come as any other file of a server does, by ranges, with the same limits and retries. Who
may ask is looked up where AWS's tools look (environment, profile, machine), never in an address.
"""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import SourceError
from pipeline.media.http import SameHost
from pipeline.media.retry import Wait, sleep

if TYPE_CHECKING:
    from s3fs import S3FileSystem

SCHEME = "s3://"
EXPIRES_S = 3600  # of a signature; each request has one of its own
_REASON = re.compile(rb"<Code>(\w+)</Code>")
_REASON_BYTES = 4096
_SAID = {
    301: "lies in another region: set AWS_REGION",
    403: "may not be read with these credentials",
    404: "is not there",
}


def is_s3(url: str) -> bool:
    """Whether a source is asked for here."""
    return url.startswith(SCHEME)


class SignedHost(SameHost):
    """The host of one object's store; whatever is asked for, it gives this object."""

    def __init__(self, url: str, timeout_s: float, wait: Wait = sleep) -> None:
        """
        Args:
            url: `s3://BUCKET/KEY`.
            timeout_s, wait: as of `SameHost`.

        Raises:
            SourceError: s3fs is not installed, or nobody is known who may ask.
        """
        self._object = url.removeprefix(SCHEME)
        self._store = _open_store()
        super().__init__(self._signed(), timeout_s, wait)

    def get(
        self, url: str, first: int, end: int, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """As of `SameHost`. What the store refuses is a SourceError that says why."""
        try:
            return super().get(self._signed(), first, end, headers)
        except urllib.error.HTTPError as error:
            if error.code not in _SAID:
                raise
            reason = _REASON.search(error.read(_REASON_BYTES))
            error.close()
            told = f"{error.code} {reason[1].decode()}" if reason else str(error.code)
            raise SourceError(f"{_SAID[error.code]} ({told})") from None

    def _signed(self) -> str:
        with _told():
            return str(self._store.sign(self._object, expiration=EXPIRES_S))


def list_objects(url: str) -> Iterator[tuple[str, int]]:
    """Keys below an address that ends in `/`, without it, and their bytes.

    Raises:
        SourceError: as of `SignedHost`, or the bucket may not be listed.
    """
    folder = url.removeprefix(SCHEME)
    with _told():
        found = _open_store().find(folder, detail=True)
    for path, facts in found.items():
        if path.startswith(folder):
            yield path.removeprefix(folder), int(facts["size"])


def _open_store() -> S3FileSystem:
    """One for all objects, as long as the environment stays as it is."""
    return _store_of(tuple(sorted(one for one in os.environ.items() if one[0].startswith("AWS_"))))


@lru_cache(maxsize=1)
def _store_of(_: tuple[tuple[str, str], ...]) -> S3FileSystem:
    try:
        from s3fs import S3FileSystem
    except ImportError:
        raise SourceError(
            "is in an S3 store, which needs s3fs: pip install 'dinostream[s3]' (in a checkout: pip "
            "install '.[s3]')"
        ) from None
    config = {"signature_version": "s3v4"}  # the old one is refused by newer stores
    return S3FileSystem(use_listings_cache=False, skip_instance_cache=True, config_kwargs=config)


@contextmanager
def _told() -> Iterator[None]:
    """What the store's own errors mean; they are OSErrors or botocore's."""
    try:
        yield
    except Exception as error:
        raise _explained(error) from None


def _explained(error: Any) -> SourceError:
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"):
        return SourceError(
            "needs credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
            "what anybody may read is there under https:// as well"
        )
    if isinstance(error, PermissionError):
        return SourceError("may not be listed with these credentials")
    if isinstance(error, FileNotFoundError):
        return SourceError("is not there")
    return SourceError(f"its store does not answer: {name}", retryable=True)
