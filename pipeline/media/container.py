"""Opens one source so that it cannot reach anything but itself.

URL in -> container and the one video stream that is decoded. Files are limited to the file itself,
http(s) to its host (`pipeline.media.http`), cameras to their protocol; what would open further
files is refused before it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, cast

import av
from av.format import Flags
from av.stream import Disposition

from operators.moment import microseconds
from pipeline.errors import SourceError
from pipeline.media.arrivals import Arrivals
from pipeline.media.failure import open_failure, too_large
from pipeline.media.formats import FILE_FORMATS, RTSP_FORMATS
from pipeline.media.http import SameHost, is_http
from pipeline.media.transfer import Readable, Transfer
from pipeline.synthetic.uri import SCHEME

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

ANALYZED = 0.75  # of the time for it
# Up to PyAV 18 a tag that is not UTF-8 is an error unless one says otherwise; then nobody can.
_open: Callable[..., InputContainer] = (
    partial(av.open, metadata_errors="replace") if av.__version__ < "19" else av.open
)
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
        url: a path, or an rtsp(s), http(s) or srt URL.
        max_pixels: refuse larger pictures, here and later before they are allocated.
        timeout_s: network: longest wait for opening, probing, and each read.
        transfer: how http(s) is read; a recording where it is not given.

    Raises:
        SourceError: it cannot be opened, holds no video, or is refused. Holds no password.
    """
    network = is_network(url)
    av.logging.set_level(av.logging.PANIC)  # it would write addresses to stderr itself
    began_s = time.monotonic()
    try:
        if is_http(url):
            with closing(Transfer()) as own:  # a copy stays for as long as it is read
                return _open_http(url, max_pixels, timeout_s, transfer or own)
        container = _CAMERAS[_scheme(url)](url, timeout_s) if network else _open_file(url)
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
    options = {"format_whitelist": FILE_FORMATS, "protocol_whitelist": ""}
    try:
        container = _open(BytesIO(data), options=options)
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        raise open_failure(error, max_pixels=max_pixels, network=False) from None
    try:
        return Opened(container, _best_stream(container, max_pixels), finite=True)
    except BaseException:
        container.close()
        raise


def is_network(url: str) -> bool:
    """Whether a source is a URL of a protocol that is read, not a path."""
    return is_http(url) or _scheme(url) in _CAMERAS


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""


def _open_file(path: str) -> InputContainer:
    options = {"protocol_whitelist": "file", "format_whitelist": FILE_FORMATS}
    # A bare name is parsed as a URL first: `rtsp:x.mp4` would be a camera.
    return _open(f"file:{path}", options=options)


def _open_http(url: str, max_pixels: int, timeout_s: float, transfer: Transfer) -> Opened:
    """What is finite is known by the answer, never by a container that says 0."""
    site = SameHost(url, timeout_s, transfer.wait)
    file, length = transfer.open(site, url)
    arrivals = Arrivals(file, transfer.clock) if length is None else None
    source: Readable = arrivals or file
    options = {"format_whitelist": FILE_FORMATS}
    if length is None:
        options["fpsprobesize"] = "0"  # 20 frames for a rate that nobody asks about
    with ExitStack() as undone:
        undone.callback(source.close)
        container = _open(
            url,
            options=options,
            timeout=(timeout_s, timeout_s),
            io_open=_Asked(site, url, source),
        )
        undone.callback(container.close)
        stream = _best_stream(container, max_pixels)
        clockless = container.format.flags & _NO_TIMESTAMPS
        opened = Opened(
            container, stream, length is not None, source, arrivals if clockless else None
        )
        undone.pop_all()
    return opened


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


def _open_rtsp(url: str, timeout_s: float) -> InputContainer:
    options = {
        "protocol_whitelist": "rtsp,rtsps,rtp,srtp,udp,tcp,tls",
        "format_whitelist": RTSP_FORMATS,
        "rtsp_transport": "tcp",
        "timeout": str(int(timeout_s * 1_000_000)),
    }
    return _open_live(url, options, timeout_s)


def _open_srt(url: str, timeout_s: float) -> InputContainer:
    options = {
        "protocol_whitelist": "srt,udp",
        "format_whitelist": FILE_FORMATS,
    }
    return _open_live(url, options, timeout_s)


def _open_live(url: str, options: dict[str, str], timeout_s: float) -> InputContainer:
    """libav looks at what comes until it knows enough. Where time is up before, it goes on as if
    nothing were, with the packet missing that it was reading; so it is to be content sooner."""
    patience = {
        "fpsprobesize": "0",  # 20 frames for a rate that nobody asks about
        "analyzeduration": str(int(timeout_s * ANALYZED * 1_000_000)),
    }
    return _open(url, options=options | patience, timeout=(timeout_s, timeout_s))


_CAMERAS: dict[str, Callable[[str, float], InputContainer]] = {
    "rtsp": _open_rtsp,
    "rtsps": _open_rtsp,
    "srt": _open_srt,
}


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
