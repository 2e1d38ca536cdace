"""Reads http(s) for libav, from one host only.

libav's own client follows redirects and playlists to any host (measured with FFmpeg 8.1), so every
request goes through here instead.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import IO
from urllib.parse import SplitResult, unquote, urlsplit

from pipeline.errors import SourceError
from pipeline.secrets import mask

REDIRECTS = 5
USER_AGENT = "dinostream"


class SameHost:
    """libav's `io_open`: opens a URL of the source's own host, and no other."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """
        Args:
            url: the source; its user and password go with every request to its host.
            timeout_s: longest silence of the server.
        """
        parts = urlsplit(url)
        self._host = parts.hostname
        self._authorization = _basic(parts)
        self._opener = urllib.request.build_opener(_SameHostRedirects(self))
        self._timeout_s = timeout_s

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> HttpFile:
        """Open for reading; called by libav for the source and for all it refers to.

        Raises:
            SourceError: another host or protocol.
        """
        self.check(url)
        return HttpFile(self, url, int(options.get("offset", 0)), int(options.get("end_offset", 0)))

    def check(self, url: str) -> None:
        """Raise unless the URL may be read."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname != self._host:
            other = f"{parts.scheme}://{parts.hostname or ''}"
            raise SourceError(f"refers to {other}, which is not its own host {self._host}")

    def get(self, url: str, first: int, end: int) -> IO[bytes]:
        """Ask for bytes `first` to `end` (0: to the last)."""
        parts = urlsplit(url)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        request = urllib.request.Request(bare, headers={"User-Agent": USER_AGENT})
        if self._authorization:
            request.add_unredirected_header("Authorization", self._authorization)
        if first or end:
            request.add_header("Range", f"bytes={first}-{end - 1 if end else ''}")
        response: IO[bytes] = self._opener.open(request, timeout=self._timeout_s)
        return response


class HttpFile:
    """One resource as a file: read, and seek by asking again from elsewhere."""

    def __init__(self, site: SameHost, url: str, first: int = 0, end: int = 0) -> None:
        self._site, self._url, self._end = site, url, end
        self._position = first
        self._response: IO[bytes] | None = site.get(url, first, end)
        ranges = getattr(self._response, "headers", {})
        self._seekable = ranges.get("Accept-Ranges") == "bytes" or bool(first)
        self._length = first + int(ranges.get("Content-Length") or 0)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        if self._response is None:
            self._response = self._reopen()
        try:
            data = self._response.read1(size)  # type: ignore[attr-defined]
        except http.client.HTTPException as error:
            raise OSError(f"the server broke off: {type(error).__name__}") from None
        self._position += len(data)
        return bytes(data)

    def seekable(self) -> bool:
        return self._seekable

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere; the request is made by the next read."""
        position = offset + (0, self._position, self._length)[whence]
        if position != self._position:
            self.close()
            self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _reopen(self) -> IO[bytes]:
        try:
            return self._site.get(self._url, self._position, self._end)
        except urllib.error.HTTPError as error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                error.close()
                return BytesIO()
            raise


class _SameHostRedirects(urllib.request.HTTPRedirectHandler):
    max_redirections = REDIRECTS

    def __init__(self, site: SameHost) -> None:
        self._site = site

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        try:
            self._site.check(newurl)
        except SourceError:
            fp.close()
            raise
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and "Authorization" in req.unredirected_hdrs:
            request.add_unredirected_header("Authorization", req.unredirected_hdrs["Authorization"])
        return request


def _basic(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(pair.encode()).decode()


def file_edges(url: str, edge_bytes: int, timeout_s: float = 10.0) -> tuple[int, bytes, bytes]:
    """Size, first and last bytes of a recording.

    Raises:
        SourceError: it cannot be had, or is nothing one can read twice.
    """
    site = SameHost(url, timeout_s)
    try:
        with site.get(url, 0, edge_bytes) as response:
            span = getattr(response, "headers", {}).get("Content-Range") or ""
            first = response.read(edge_bytes)
        if "/" not in span or not span.rpartition("/")[2].isdigit():
            raise SourceError(
                "is no recording: its server gives no parts of it; use dinostream run"
            )
        size = int(span.rpartition("/")[2])
        with site.get(url, max(0, size - edge_bytes), size) as response:
            return size, first, response.read(edge_bytes)
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"cannot be read: {mask(str(error))}", retryable=True) from None
