"""Fetches what an HLS source is made of, from its own host only: playlists, segments, keys."""

from __future__ import annotations

import http.client
import urllib.error
from collections.abc import Generator
from contextlib import closing

from pipeline.errors import SourceError
from pipeline.media.decrypt import KEY_BYTES, decrypt
from pipeline.media.hls_playlist import (
    LARGEST_BYTES,
    Part,
    Playlist,
    Resource,
    Variant,
    parse,
)
from pipeline.media.http import SameHost
from pipeline.secrets import mask

LARGEST_SEGMENT_BYTES = 256 << 20
_PIECE_BYTES = 1 << 18


class HlsSite:
    """One HLS source's host."""

    def __init__(self, site: SameHost) -> None:
        self._site = site
        self._keys: dict[str, bytes] = {}
        self._heads: dict[Part, bytes] = {}

    def playlist(self, url: str) -> Playlist | tuple[Variant, ...]:
        """What lies at `url` now.

        Raises:
            SourceError: it cannot be had or played; `retryable` where the line broke.
        """
        try:
            with self._site.get(url, 0, 0) as response:
                data = response.read(LARGEST_BYTES + 1)
                left = response.length  # of what its server announced; None: it did not
                url = getattr(response, "url", url)  # after redirects
        except (OSError, http.client.HTTPException) as error:
            raise _failure("playlist", error) from None
        if len(data) > LARGEST_BYTES:
            raise SourceError(f"its playlist is larger than {LARGEST_BYTES} bytes")
        if left:
            text = f"its playlist broke off after {len(data)} of {len(data) + left} bytes"
            raise SourceError(text, retryable=True)
        return parse(data.decode(errors="replace"), url)

    def media(self, url: str) -> Playlist:
        """A playlist of segments.

        Raises:
            SourceError: it cannot be had or played, or is another master playlist.
        """
        playlist = self.playlist(url)
        if not isinstance(playlist, Playlist):
            raise SourceError("is a playlist of playlists of playlists")
        return playlist

    def fetch(self, part: Part) -> Generator[None, None, bytes]:
        """Its bytes, decrypted; yields at each piece.

        Raises:
            SourceError: the server does not have it, or it cannot be decrypted; `retryable` where
                the server cannot be asked.
        """
        data = yield from self._bytes(part.resource, LARGEST_SEGMENT_BYTES)
        if part.key is None:
            return data
        if part.key.url not in self._keys:
            key = yield from self._bytes(Resource(part.key.url), KEY_BYTES)
            self._keys = {part.key.url: key}  # the next one replaces it
        return decrypt(data, self._keys[part.key.url], part.key.iv)

    def head(self, part: Part | None) -> Generator[None, None, bytes]:
        """What goes before a segment's bytes (EXT-X-MAP); fetched once."""
        if part is None:
            return b""
        if part not in self._heads:
            data = yield from self.fetch(part)
            self._heads = {part: data}  # the next one replaces it
        return self._heads[part]

    def _bytes(self, resource: Resource, most: int) -> Generator[None, None, bytes]:
        span = {"offset": str(resource.first), "end_offset": str(resource.end)}
        data = bytearray()
        try:
            with closing(self._site(resource.url, 0, span)) as file:
                while piece := file.read(_PIECE_BYTES):
                    data += piece
                    if len(data) > most:
                        raise SourceError(f"is larger than {most} bytes")
                    yield
        except (OSError, http.client.HTTPException) as error:
            raise _failure("segment", error) from None
        if resource.end and len(data) != resource.end - resource.first:
            raise SourceError(f"holds {len(data)} bytes, not {resource.end - resource.first}")
        return bytes(data)


def _failure(what: str, error: Exception) -> SourceError:
    """401 and what a server says of itself may pass; other answers are about this one thing."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        text = f"HTTP {error.code}"
        here = 400 <= error.code < 500 and error.code not in (401, 407, 408, 425, 429)
        return SourceError(text, retryable=not here)
    return SourceError(f"{what}: {mask(str(error))}", retryable=True)
