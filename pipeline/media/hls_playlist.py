"""Reads HLS playlists (RFC 8216): text in -> variants, or segments and what is needed to read them.

Pure. What cannot be read is an error here and not a surprise later; unknown tags are passed over,
as the RFC wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import SourceError
from pipeline.media.hls_text import address, attributes, length_s, moment_us

MAGIC = b"#EXTM3U"
TARGET_S = 10.0  # where a playlist names none, though it has to
GROWS = "is no recording: its playlist may grow; use dinostream run"
LARGEST_BYTES = 16 << 20  # a day of one-second segments is a tenth of it
_BLOCK_BYTES = 16  # of AES
_VIDEO_CODECS = re.compile(r"avc|hvc|hev|vp0?9|av01|dvh|mp4v|vvc")


@dataclass(frozen=True, slots=True)
class Variant:
    """One rendition of a master playlist.

    Attributes:
        url: of its media playlist.
        bandwidth: peak bits per second.
        short_side: of its pictures, pixels; 0 where it does not say.
        video: False where it says that it holds none.
    """

    url: str
    bandwidth: int
    short_side: int
    video: bool


@dataclass(frozen=True, slots=True)
class Resource:
    """A URL, or the bytes `first` to `end` of it (0: all)."""

    url: str
    first: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """AES-128 in CBC mode: where the 16 bytes are, and the initialization vector."""

    url: str
    iv: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes that are fetched as a whole and decrypted as a whole."""

    resource: Resource
    key: Key | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment.

    Attributes:
        number: its media sequence number.
        seconds: how long it says it is.
        restarts: a discontinuity lies before it: another clock, perhaps another encoding.
        missing: the server says itself that it has none (EXT-X-GAP).
        head: what a decoder needs first (EXT-X-MAP), for fragmented MP4.
        start_us: when it was recorded, microseconds since the epoch, where that is said.
    """

    number: int
    seconds: float
    body: Part
    restarts: bool = False
    missing: bool = False
    head: Part | None = None
    start_us: int | None = None

    @property
    def name(self) -> str:
        """For a person: the last part of its address, without what may be secret."""
        return self.body.resource.url.partition("?")[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Playlist:
    """What is there to play, now.

    Attributes:
        target_s: no segment is longer; a live playlist changes about as often.
        ended: nothing will be added: a recording.
    """

    segments: tuple[Segment, ...]
    target_s: float
    ended: bool

    @property
    def seconds(self) -> float:
        """All segments together."""
        return sum(segment.seconds for segment in self.segments)


def parse(text: str, url: str) -> Playlist | tuple[Variant, ...]:
    """A media playlist, or the variants of a master playlist.

    Args:
        text: the playlist.
        url: where it was read from; what it refers to is relative to that.

    Raises:
        SourceError: not a playlist, or one that cannot be played.
    """
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines()]
    lines = [line for line in lines if line]
    if not lines or not lines[0].startswith(MAGIC.decode()):
        raise SourceError("is no playlist: it does not begin with #EXTM3U")
    try:
        if any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
            variants = tuple(_variants(lines, url))
        else:
            return _Reader(url).read(lines)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"is a playlist that cannot be read: {error}") from None
    if not variants:
        raise SourceError("is a playlist of variants and names none")
    return variants


def choose(variants: Sequence[Variant], short_side: int) -> Variant:
    """The smallest variant whose pictures need no enlarging, else the largest there is; of equal
    ones the one of the highest bandwidth. Where sizes are not said, bandwidth alone decides.

    Args:
        variants: at least one.
        short_side: of the frames that the model sees, pixels.
    """
    shown = [variant for variant in variants if variant.video] or list(variants)
    enough = [variant for variant in shown if variant.short_side >= short_side]
    if enough:
        return min(enough, key=lambda variant: (variant.short_side, -variant.bandwidth))
    return best(shown)


def best(variants: Sequence[Variant]) -> Variant:
    """The variant of the largest pictures, then of the highest bandwidth; the first of equals."""
    shown = [variant for variant in variants if variant.video] or list(variants)
    return max(shown, key=lambda variant: (variant.short_side, variant.bandwidth))


def _variants(lines: Sequence[str], url: str) -> Iterable[Variant]:
    said: dict[str, str] | None = None
    for line in lines:
        if line.startswith("#EXT-X-STREAM-INF:"):
            said = attributes(line)
        elif said is not None and not line.startswith("#"):
            _, _, height = said.get("RESOLUTION", "").partition("x")
            width = said.get("RESOLUTION", "").partition("x")[0]
            short_side = min(int(width), int(height)) if height else 0
            codecs = said.get("CODECS", "")
            video = bool(short_side) or not codecs or bool(_VIDEO_CODECS.search(codecs))
            bandwidth = int(said.get("BANDWIDTH", 0))
            yield Variant(address(url, line), bandwidth, short_side, video)
            said = None


class _Reader:
    """The tags of a media playlist hold for the segments after them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._number = 0
        self._target_s = TARGET_S
        self._ended = False
        self._segments: list[Segment] = []
        self._clear()
        self._key: dict[str, str] = {}
        self._head: Part | None = None
        self._next_byte = 0
        self._next_us: int | None = None

    def read(self, lines: Iterable[str]) -> Playlist:
        """All lines, the first included."""
        for line in lines:
            if not line.startswith("#"):
                self._add(line)
            elif line.startswith("#EXT"):
                name, _, value = line.partition(":")
                self._tag(name, value, line)
        return Playlist(tuple(self._segments), self._target_s, self._ended)

    def _tag(self, name: str, value: str, line: str) -> None:
        match name:
            case "#EXTINF":
                self._seconds = length_s(value.partition(",")[0])
            case "#EXT-X-TARGETDURATION":
                self._target_s = length_s(value)
            case "#EXT-X-MEDIA-SEQUENCE":
                self._number = int(value)
            case "#EXT-X-ENDLIST":
                self._ended = True
            case "#EXT-X-DISCONTINUITY":
                self._restarts = True
            case "#EXT-X-GAP":
                self._missing = True
            case "#EXT-X-BYTERANGE":
                self._range = value
            case "#EXT-X-KEY":
                self._key = _checked_key(attributes(line))
            case "#EXT-X-MAP":
                self._head = self._map(attributes(line))
            case "#EXT-X-PROGRAM-DATE-TIME":
                self._next_us = moment_us(value)

    def _clear(self) -> None:
        """What holds for one segment alone."""
        self._seconds, self._range = 0.0, ""
        self._restarts = self._missing = False

    def _add(self, line: str) -> None:
        resource = self._resource(line, self._range)
        self._segments.append(
            Segment(
                self._number,
                self._seconds,
                Part(resource, self._key_of(self._number)),
                self._restarts,
                self._missing,
                self._head,
                self._next_us,
            )
        )
        if self._next_us is not None:
            self._next_us += int(self._seconds * 1_000_000)
        self._number += 1
        self._clear()

    def _resource(self, reference: str, byte_range: str) -> Resource:
        """`length@first`; without `first` it goes on where the last range ended."""
        url = address(self._url, reference)
        if not byte_range:
            return Resource(url)
        length, _, first = byte_range.partition("@")
        begin = int(first) if first else self._next_byte
        self._next_byte = begin + int(length)
        return Resource(url, begin, self._next_byte)

    def _map(self, said: dict[str, str]) -> Part:
        if "URI" not in said:
            raise ValueError("EXT-X-MAP has no URI")
        key = self._key_of(0)
        resource = self._resource(said["URI"], said.get("BYTERANGE", ""))
        return Part(resource, key)

    def _key_of(self, number: int) -> Key | None:
        if not self._key:
            return None
        text = self._key.get("IV", "")
        iv = int(text, 16) if text else number
        return Key(address(self._url, self._key["URI"]), iv.to_bytes(_BLOCK_BYTES, "big"))


def _checked_key(said: dict[str, str]) -> dict[str, str]:
    """The attributes of a key that we can use; {} for none."""
    method = said.get("METHOD", "")
    if method == "NONE":
        return {}
    system = said.get("KEYFORMAT", "identity")
    if method != "AES-128" or system != "identity":
        how = method if system == "identity" else f"{method} ({system})"
        raise SourceError(f"is encrypted with {how}; only AES-128 with a plain key can be read")
    if "URI" not in said:
        raise ValueError("EXT-X-KEY has no URI")
    return said
