"""Opens one source so that it cannot reach anything but itself.

URL in -> container and the one video stream that is decoded. Files are limited to the file itself,
http(s) to its host (`pipeline.media.http`), cameras to their protocol, bare sockets to themselves;
what would open further files is refused before it does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, cast

import av
from av.format import Flags
from av.stream import Disposition

from operators.moment import microseconds
from pipeline.errors import SourceError
from pipeline.media.arrivals import Arrivals
from pipeline.media.cameras import is_camera, open_camera
from pipeline.media.datagrams import Datagrams
from pipeline.media.endpoint import SOCKET_SCHEMES, Endpoint
from pipeline.media.failure import open_failure, too_large
from pipeline.media.formats import FILE_FORMATS
from pipeline.media.http import SameHost, is_http
from pipeline.media.libav import open_container
from pipeline.media.s3 import is_s3
from pipeline.media.site import is_remote, site_of
from pipeline.media.tcp import Connection
from pipeline.media.transfer import PlaylistError, Readable, Transfer
from pipeline.synthetic.uri import SCHEME

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_JPEG = b"\xff\xd8\xff"
# What has no clock is taken for 25 frames a second; at five, three seconds of it would be fifteen.
_BRIEF_LOOK = {"fpsprobesize": "0", "analyzeduration": "1000000"}
# Of a camera: no 20 for a rate that nobody asks about, and where they have no timestamps no 50 in
# search of one. From 20 libav knows how far they are reordered, which not all say; from 3 it did
# not, and lost some (FFmpeg 8.1, 2026-11).
_FEW_PICTURES = {"fpsprobesize": "0", "max_ts_probe": "20"}
_NO_TIMESTAMPS = cast("int", Flags.no_timestamps.value)  # the demuxer says so of itself


@dataclass(frozen=True, slots=True)
class Opened:
    """An open container and its best video stream.

    Attributes:
        finite: it has an end, and all up to there waits for us; else it is live.
        source: what the container reads from, where that is ours; libav does not close it.
        arrivals: the same where it is live and has no clock of its own: it tells when what came.
    """

    container: InputContainer
    stream: VideoStream
    finite: bool
    source: Readable | None = None
    arrivals: Arrivals | None = None

    def close(self) -> None:
        """Let go of files, connections and memory."""
        self.container.close()
        if self.source is not None:
            self.source.close()

    @property
    def creation_time_us(self) -> int | None:
        """When the container says it was recorded, microseconds since the epoch."""
        for metadata in (self.container.metadata, self.stream.metadata):
            for key, text in metadata.items():
                if key.lower() == "creation_time":  # Matroska's tags are in capitals
                    return _moment_us(text)
        return None

    @property
    def rendered(self) -> bool:
        """It says which scene was drawn, as `pipeline.media.encode.write_clip` writes it."""
        said = self.container.metadata
        return any(key.lower() == "comment" and said[key].startswith(SCHEME) for key in said)


def open_video(
    url: str, *, max_pixels: int, timeout_s: float, transfer: Transfer | None = None
) -> Opened:
    """Open a source for decoding.

    Args:
        url: a path, an rtsp(s), http(s), s3, srt, udp or tcp URL, or `v4l2:` and a device.
        max_pixels: refuse larger pictures, here and later before they are allocated.
        timeout_s: network: longest wait for opening, probing, and each read.
        transfer: how its bytes come; as a recording's where it is not given.

    Raises:
        SourceError: it cannot be opened, holds no video, or is refused. Holds no password.
    """
    network = is_network(url)
    av.logging.set_level(av.logging.PANIC)  # it would write addresses to stderr itself
    began_s = time.monotonic()
    try:
        with closing(Transfer()) as own:  # a copy stays for as long as it is read
            transfer = transfer or own
            if is_http(url):
                return _open_http(url, max_pixels, timeout_s, transfer)
            if is_s3(url):
                return _open_s3(url, max_pixels, timeout_s, transfer)
            if _scheme(url) in SOCKET_SCHEMES:
                return _open_socket(url, max_pixels, timeout_s, transfer)
            container = (
                open_camera(url, timeout_s, transfer.transport) if network else _open_file(url)
            )
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        failure = open_failure(error, max_pixels=max_pixels, network=network)
        if network and time.monotonic() - began_s >= timeout_s:  # RTSP calls it invalid data
            failure = SourceError(f"cannot be opened: no answer in {timeout_s:g} s", retryable=True)
    else:
        try:
            return Opened(container, _best_stream(container, max_pixels), finite=not network)
        except BaseException:
            container.close()
            raise
    raise failure


def open_bytes(data: bytes, *, max_pixels: int) -> Opened:
    """Open a container that is in memory; see `open_video`."""
    return open_source(BytesIO(data), max_pixels=max_pixels)


def open_source(source: Readable, *, max_pixels: int, growing: bool = False) -> Opened:
    """Open a container that is read from something else than a file; see `open_video`.

    Args:
        source: closed with what is opened, or where that fails.
        max_pixels: refuse larger pictures.
        growing: it waits for what is not there yet, so little of it is looked at.
    """
    options = {"format_whitelist": FILE_FORMATS, "protocol_whitelist": ""}
    options |= _BRIEF_LOOK if growing else {}
    with ExitStack() as undone:
        undone.callback(source.close)
        try:
            container = open_container(source, options=options)
        except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
            raise open_failure(error, max_pixels=max_pixels, network=False) from None
        undone.callback(container.close)
        opened = Opened(container, _best_stream(container, max_pixels), True, source)
        undone.pop_all()
    return opened


def is_network(url: str) -> bool:
    """Whether a source is a URL of a protocol that is read, not a path."""
    return is_remote(url) or is_camera(url) or _scheme(url) in SOCKET_SCHEMES


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""


def _open_file(path: str) -> InputContainer:
    options = {"protocol_whitelist": "file", "format_whitelist": FILE_FORMATS}
    # A bare name is parsed as a URL first: `rtsp:x.mp4` would be a camera.
    return open_container(f"file:{path}", options=options)


def _open_http(url: str, max_pixels: int, timeout_s: float, transfer: Transfer) -> Opened:
    """What is finite is known by the answer, never by a container that says 0."""
    site = SameHost(url, timeout_s, transfer.wait)
    file, length = transfer.open(site, url)
    arrivals = Arrivals(file, transfer.clock) if length is None else None
    source: Readable = arrivals or file
    options = {"format_whitelist": FILE_FORMATS}
    if length is None:
        options |= _FEW_PICTURES
    with ExitStack() as undone:
        undone.callback(source.close)
        container = open_container(
            url,
            options=options,
            timeout=(timeout_s, timeout_s),
            io_open=_Asked(site, url, source),
        )
        undone.callback(container.close)
        stream = _best_stream(container, max_pixels)
        clock = arrivals if _is_clockless(container) else None
        opened = Opened(container, stream, length is not None, source, clock)
        undone.pop_all()
    return opened


def _open_s3(url: str, max_pixels: int, timeout_s: float, transfer: Transfer) -> Opened:
    """libav opens nothing here: what it may refer to has no host to be on."""
    try:
        file, _ = transfer.open(site_of(url, timeout_s, transfer.wait), url)
    except PlaylistError:
        raise SourceError("is a playlist (hls), which is read over http(s) alone") from None
    return open_source(file, max_pixels=max_pixels)


def _open_socket(url: str, max_pixels: int, timeout_s: float, transfer: Transfer) -> Opened:
    """libav opens nothing here: it is given what comes."""
    endpoint = Endpoint.of(url)
    connected = (Datagrams if endpoint.scheme == "udp" else Connection)(endpoint, timeout_s)
    source = Arrivals(connected, transfer.clock)
    options = {"format_whitelist": FILE_FORMATS, "protocol_whitelist": "", **_BRIEF_LOOK}
    with ExitStack() as undone:
        undone.callback(source.close)
        # Which libav tells from single pictures after a MiB of it, and a camera may take long.
        form = "mjpeg" if connected.peek().startswith(_JPEG) else None
        container = open_container(source, format=form, options=options)
        undone.callback(container.close)
        stream = _best_stream(container, max_pixels)
        clock = source if _is_clockless(container) else None
        opened = Opened(container, stream, False, source, clock)
        undone.pop_all()
    return opened


def _is_clockless(container: InputContainer) -> bool:
    return bool(container.format.flags & _NO_TIMESTAMPS)


class _Asked:
    """libav's `io_open` for a source that has answered: cameras may serve one request only."""

    def __init__(self, site: SameHost, url: str, source: Readable) -> None:
        self._site, self._url = site, url
        self._source: Readable | None = source

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> Readable:
        source, self._source = self._source, None
        if source is not None and url == self._url:
            return source
        return self._site(url, flags, options)


def _best_stream(container: InputContainer, max_pixels: int) -> VideoStream:
    """The default one, else the largest, else the first; never a cover picture, a tile, or the
    thumbnail of a photograph in tiles."""
    tiles = [s for s in container.streams.video if s.disposition & Disposition.dependent]
    streams = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None
        and not stream.disposition & (Disposition.attached_pic | Disposition.dependent)
        and not (tiles and stream.frames == 1)
    ]
    if tiles and not streams:
        raise SourceError(
            f"holds no video, only a photograph in {len(tiles)} tiles, and PyAV {av.__version__} "
            "does not tell how they lie; convert it to a video, or to JPEG for `fit`"
        )
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams}))
        raise SourceError(f"holds no video, only {kinds or 'nothing'}")
    best = max(
        streams,
        key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index),
    )
    if best.width * best.height > max_pixels:
        raise too_large(max_pixels, f"{best.width}x{best.height}")
    return best


def _moment_us(text: str) -> int | None:
    """ISO 8601, in UTC where no zone is given (FLV writes `2016-05-31 17:01:35`)."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return microseconds(moment)
