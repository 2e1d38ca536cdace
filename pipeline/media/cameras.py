"""Opens a camera that libav itself speaks to, with its own protocol and no other.

URL in -> open container.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

import av

from pipeline.errors import SourceError
from pipeline.media.formats import DEVICE, DEVICE_FORMATS, FILE_FORMATS, RTSP_FORMATS
from pipeline.media.libav import open_container
from pipeline.media.redirection import kept_to_its_host

if TYPE_CHECKING:
    from av.container import InputContainer

log = logging.getLogger(__name__)

VERIFIES = av.library_versions["libavformat"] >= (63,)  # certificates, unless one says otherwise
CAMERA_SCHEMES = ("rtsp", "rtsps", "srt")
ANALYZED = 0.75  # of the time for it


def is_camera(url: str) -> bool:
    """Whether a source is opened here."""
    scheme, found, _ = url.partition("://")
    return url.startswith(DEVICE) or bool(found and scheme.lower() in CAMERA_SCHEMES)


def open_camera(url: str, timeout_s: float, transport: str = "tcp") -> InputContainer:
    """Connect, and look at what comes.

    Args:
        url: of one of `CAMERA_SCHEMES`, or `v4l2:/dev/video0`.
        timeout_s: longest wait for opening, probing, and each read.
        transport: what the packets of an rtsp source come over, `tcp` or `udp`.

    Raises:
        SourceError: this PyAV cannot open its kind.
        av.FFmpegError, OSError, ValueError, MemoryError: it cannot be opened.
    """
    if url.startswith(DEVICE):
        return _open_device(url.removeprefix(DEVICE), timeout_s)
    if url.lower().startswith("srt:"):
        return _open_srt(url, timeout_s)
    return _open_rtsp(url, timeout_s, transport)


def patience(timeout_s: float) -> dict[str, str]:
    """libav looks at what comes until it knows enough. Where time is up before, it goes on as if
    nothing were, with the packet missing that it was reading; so it is to be content sooner."""
    return {
        "fpsprobesize": "0",  # 20 frames for a rate that nobody asks about
        "analyzeduration": str(int(timeout_s * ANALYZED * 1_000_000)),
    }


def _open_rtsp(url: str, timeout_s: float, transport: str) -> InputContainer:
    options = {
        "protocol_whitelist": "rtsp,rtsps,rtp,srtp,udp,tcp,tls",
        "format_whitelist": RTSP_FORMATS,
        "rtsp_transport": transport,
        "timeout": str(int(timeout_s * 1_000_000)),
    }
    if url.lower().startswith("rtsps:") and not VERIFIES:
        _say_that_nobody_is_verified()
    with kept_to_its_host(url):
        return _open(url, options, timeout_s)


@cache
def _say_that_nobody_is_verified() -> None:
    log.warning(
        "rtsps:// encrypts, and this PyAV (%s) does not check whose certificate a camera shows: "
        "whoever is in between can pose as it; PyAV 19 checks it",
        av.__version__,
    )


def _open_srt(url: str, timeout_s: float) -> InputContainer:
    options = {"protocol_whitelist": "srt,udp", "format_whitelist": FILE_FORMATS}
    return _open(url, options, timeout_s)


def _open_device(path: str, timeout_s: float) -> InputContainer:
    """As it is set up: size, rate and format are its own (`v4l2-ctl` changes them)."""
    if "v4l2" not in _device_formats():
        raise SourceError(
            "cannot be opened: this PyAV is built without Video4Linux, which its wheels for Linux "
            "have"
        )
    options = {"protocol_whitelist": "", "format_whitelist": DEVICE_FORMATS, "fpsprobesize": "0"}
    return open_container(path, format="v4l2", options=options, timeout=(timeout_s, timeout_s))


def _device_formats() -> set[str]:
    return {name for names in av.formats_available for name in names.split(",")}


def _open(url: str, options: dict[str, str], timeout_s: float) -> InputContainer:
    options |= patience(timeout_s)
    return open_container(url, options=options, timeout=(timeout_s, timeout_s))
