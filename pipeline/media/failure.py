"""What libav says when it fails, in words that are safe to show.

PyAV's exceptions quote the whole URL, passwords included, and carry it in attributes; none of them
leaves this package.
"""

from __future__ import annotations

from typing import Any

import av
import av.error

from pipeline.errors import SourceError
from pipeline.secrets import mask

_TOO_LARGE = "exceeds specified max pixel count"
_NOT_LISTED = "Format not on whitelist"
_SRT = "srt needs a PyAV that is built with libsrt, which the wheels are not"
_LISTS = {
    "hls",
    "dash",
    "concat",
    "image2",
    "sdp",
    "imf",
    "webm_dash_manifest",
    "rtsp",
    "rtp",
    "sap",
}


def describe(error: BaseException) -> str:
    """One line for a person, without addresses of ours."""
    if isinstance(error, av.error.FFmpegError):
        _, text = _log(error)
        log = f" ({text})" if text else ""
        return mask(f"{error.strerror or type(error).__name__}{log}")
    return mask(str(error) or type(error).__name__)


def open_failure(error: BaseException, *, max_pixels: int, network: bool) -> SourceError:
    """Why a source did not open.

    Args:
        error: what libav or the network raised.
        max_pixels: the limit that was set, for the message.
        network: another try may succeed.
    """
    if is_too_large(error):
        return too_large(max_pixels)
    name, text = _log(error)
    if _NOT_LISTED in text:
        if name in _LISTS:
            return SourceError(f"is a list of other files ({name}), which a file may not be")
        return SourceError(f"is no video ({name})")
    if is_out_of_memory(error):
        return out_of_memory()
    if isinstance(error, av.error.ProtocolNotFoundError):
        return SourceError(f"cannot be opened: this PyAV has no such protocol; {_SRT}")
    return SourceError(f"cannot be opened: {describe(error)}", retryable=network)


def too_large(max_pixels: int, size: str = "") -> SourceError:
    """A picture above the limit."""
    got = f"pictures of {size}" if size else "pictures that"
    return SourceError(f"{got} exceed max_pixels ({max_pixels}); raise it if this is wanted")


def out_of_memory() -> SourceError:
    """The decoder met the memory limit of its process."""
    return SourceError("needs more memory than a decode process may take")


def is_too_large(error: BaseException) -> bool:
    """The codec refused a picture before allocating it."""
    return _TOO_LARGE in _log(error)[1]


def is_out_of_memory(error: BaseException) -> bool:
    """An allocation failed, ours or libav's."""
    return isinstance(error, MemoryError)


def _log(error: BaseException) -> tuple[str, str]:
    """Component and text of libav's last line about it."""
    if isinstance(error, av.error.FFmpegError) and error.log:
        log: Any = error.log  # PyAV 18's stubs nest it wrongly
        _, component, text = log
        return component.strip(), text.strip()
    return "", ""
