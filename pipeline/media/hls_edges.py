"""What identifies a recorded HLS source: not its text, which may carry tickets of the day."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable

from pipeline.errors import SourceError
from pipeline.media.hls_playlist import GROWS, Playlist, Segment, best
from pipeline.media.hls_site import HlsSite
from pipeline.media.http import SameHost


def playlist_edges(host: SameHost, url: str, edge_bytes: int) -> tuple[int, bytes, bytes]:
    """Number of segments, the first bytes of the first one, and those of the last.

    They are the best variant's, whichever is played; in front of the first bytes stand the sizes of
    all variants, by which one is chosen, and the lengths of the segments.

    Raises:
        SourceError: it cannot be had, or is live.
    """
    site = HlsSite(host)
    playlist = site.playlist(url)
    sizes: list[tuple[int, int]] = []
    if not isinstance(playlist, Playlist):
        sizes = [(variant.short_side, variant.bandwidth) for variant in playlist]
        playlist = site.media(best(playlist).url)
    if not playlist.ended:
        raise SourceError(GROWS, retryable=True)
    segments = playlist.segments
    said = json.dumps([sizes, [segment.seconds for segment in segments]]).encode()
    first = _edge(site, segments, edge_bytes)
    return len(segments), said + first, _edge(site, reversed(segments), edge_bytes)


def _edge(site: HlsSite, segments: Iterable[Segment], edge_bytes: int) -> bytes:
    """The first bytes of the first segment that is there."""
    for segment in segments:
        try:
            return _finished(site.fetch(segment.body))[:edge_bytes]
        except SourceError as error:
            if error.retryable:
                raise
    return b""


def _finished(steps: Generator[None, None, bytes]) -> bytes:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            data: bytes = end.value
            return data
