"""Asks one http(s) host, and no other.

libav's own client follows redirects and playlists to any host (measured with FFmpeg 8.1), so every
request goes through here instead.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, quote, unquote, urlsplit

from pipeline.errors import SourceError
from pipeline.media.http_file import HttpFile
from pipeline.media.retry import Wait, sleep
from pipeline.media.shoutcast import EncryptedShoutcastHandler, ShoutcastHandler
from pipeline.media.whereabouts import Whereabouts

PORTS = {"http": 80, "https": 443}
REDIRECTS = 5
USER_AGENT = "dinostream"
_BUSY = (http.client.TOO_MANY_REQUESTS, http.client.SERVICE_UNAVAILABLE)
_SENT_AS_IT_IS = "%/?:@!$&'()*+,;=~[]"  # a percent sign: what is encoded already stays as it is
_ANSWER_CHARS = 60  # of what is no http
_NO_ADDRESS = "makes no sense as an address, or refers to one that does not"


def is_http(url: str) -> bool:
    """Whether a source is asked for here, and is no path or camera."""
    return url.partition("://")[0].lower() in PORTS and "://" in url


def encoded(url: str) -> str:
    """With all encoded that a request may not hold as it is, like blanks and letters beyond ASCII;
    what is encoded already stays."""
    parts = urlsplit(url)
    path, query = (quote(part, _SENT_AS_IT_IS) for part in (parts.path, parts.query))
    return parts._replace(path=path, query=query).geturl()


class SameHost:
    """libav's `io_open`: opens a URL of the source's own host, and no other."""

    def __init__(
        self,
        url: str,
        timeout_s: float,
        wait: Wait = sleep,
        whereabouts: Whereabouts | None = None,
    ) -> None:
        """
        Args:
            url: the source; its user and password go with every request to its host and port.
            timeout_s: longest silence of the server, and how long it may ask us to come later.
            wait: how to wait until then.
            whereabouts: where its name leads; found out by the first request where it is not given.

        Raises:
            SourceError: the URL makes no sense.
        """
        self._source = _parts(url)
        self._authorization = _basic(self._source)
        self._whereabouts = whereabouts or Whereabouts()
        connect = self._whereabouts.connect
        self._opener = urllib.request.build_opener(
            _SameHostRedirects(self), ShoutcastHandler(connect), EncryptedShoutcastHandler(connect)
        )
        self._timeout_s = timeout_s
        self.wait = wait

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> HttpFile:
        """Open for reading; called by libav for the source and for all it refers to.

        Raises:
            SourceError: another host or protocol.
        """
        return HttpFile(self, url, int(options.get("offset", 0)), int(options.get("end_offset", 0)))

    def check(self, url: str) -> None:
        """Raise unless the URL may be read. Behind other ports of loopback are this machine's own
        services, whoever answers behind the source's (a tunnel)."""
        parts, own = _parts(url), self._source
        other = f"{parts.scheme}://{parts.hostname or ''}"
        if parts.scheme not in PORTS or parts.hostname != own.hostname:
            raise SourceError(f"refers to {other}, which is not its own host {own.hostname}")
        if own.scheme == "https" and parts.scheme != "https":
            raise SourceError(f"refers to {other}, which is not encrypted as it is itself")
        if not self._is_own_port(parts) and self._whereabouts.is_this_machine(own.hostname or ""):
            raise SourceError(f"refers to another port of this machine, {_port(parts)}")

    def authorize(self, request: urllib.request.Request) -> None:
        """Add user and password where they belong: behind another port may be another server."""
        if self._authorization and self._is_own_port(_parts(request.full_url)):
            request.add_unredirected_header("Authorization", self._authorization)

    def _is_own_port(self, parts: SplitResult) -> bool:
        """The ports that http and https have unless another is named belong together."""
        own, other = _port(self._source), _port(parts)
        return own == other or (own, other) == (PORTS["http"], PORTS["https"])

    def get(
        self, url: str, first: int, end: int, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Ask for bytes `first` to `end` (0: to the last); 0 and 0 ask for no range.

        Raises:
            SourceError: another host or protocol, or a URL that makes no sense.
            OSError: no answer, an error as answer (`urllib.error.HTTPError`), or one that is no
                http.
        """
        self.check(url)
        request = urllib.request.Request(
            _sendable(url), headers={"User-Agent": USER_AGENT, **(headers or {})}
        )
        self.authorize(request)
        if first or end:
            request.add_header("Range", f"bytes={first}-{end - 1 if end else ''}")
        return self._open(request)

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Comes again when a busy server says when, within the timeout."""
        left_s = self._timeout_s
        while True:
            self.wait(0)  # a sign of life: looking for a host may take as long as a hang is allowed
            try:
                response: http.client.HTTPResponse = self._opener.open(
                    request, timeout=self._timeout_s
                )
            except urllib.error.HTTPError as error:
                pause_s = _retry_after_s(error)
                if pause_s is None or pause_s > left_s or not self.wait(pause_s):
                    raise
                error.close()
                left_s -= pause_s
            except OSError:
                raise
            except (http.client.InvalidURL, ValueError):
                raise SourceError(_NO_ADDRESS) from None
            except http.client.HTTPException as error:
                told = f"{type(error).__name__} {str(error)[:_ANSWER_CHARS]!r}"
                raise OSError(f"its server does not answer in http: {told}") from None
            else:
                return response


class _SameHostRedirects(urllib.request.HTTPRedirectHandler):
    max_redirections = REDIRECTS

    def __init__(self, site: SameHost) -> None:
        self._site = site

    def http_error_302(self, req, fp, code, msg, headers):  # type: ignore[no-untyped-def]
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except (SourceError, ValueError):
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        self._site.check(newurl)
        request = super().redirect_request(req, fp, code, msg, headers, _sendable(newurl))
        if request is not None:
            self._site.authorize(request)
        return request


def _parts(url: str) -> SplitResult:
    """Raises SourceError, which does not quote it: where a URL makes no sense, nobody knows which
    part of it is a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port, url.encode()  # what is not read before it is asked for
    except ValueError:
        raise SourceError(_NO_ADDRESS) from None
    return parts


def _port(parts: SplitResult) -> int:
    return PORTS[parts.scheme] if parts.port is None else parts.port


def _sendable(url: str) -> str:
    """Encoded, and without user and password."""
    parts = urlsplit(encoded(url))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _basic(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(pair.encode()).decode()


def _retry_after_s(error: urllib.error.HTTPError) -> float | None:
    """When a busy server wants to be asked again; None where it does not say."""
    text = (error.headers.get("Retry-After") or "").strip()
    if error.code not in _BUSY or not text:
        return None
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())
