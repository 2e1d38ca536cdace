"""Which host a remote recording is asked for, and how."""

from __future__ import annotations

from pipeline.media.http import SameHost, is_http
from pipeline.media.retry import Wait, sleep
from pipeline.media.s3 import SignedHost, is_s3


def is_remote(url: str) -> bool:
    """Whether a source's bytes come over http(s), under whatever name."""
    return is_http(url) or is_s3(url)


def site_of(url: str, timeout_s: float, wait: Wait = sleep) -> SameHost:
    """The host of a remote source; see `SameHost` and `SignedHost`.

    Raises:
        SourceError: it cannot be asked.
    """
    return (SignedHost if is_s3(url) else SameHost)(url, timeout_s, wait)
