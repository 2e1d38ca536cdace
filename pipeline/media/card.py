"""Whether a GPU decodes a stream, and the codec context that does.

A stream's own context in -> one whose frames stay on the card. PyAV brings a frame to the host
where it is scaled; one that nobody samples never comes.
"""

from __future__ import annotations

import logging

import av
from av.codec.hwaccel import HWAccel
from av.video.codeccontext import VideoCodecContext

from pipeline.errors import SourceError
from pipeline.media.device import Device
from pipeline.media.failure import describe

log = logging.getLogger(__name__)

CUDA = "cuda"
# What every NVDEC of these years decodes; of AV1, 4:2:2 and 4:4:4 that depends on the card.
FORMATS = {
    "h264": ("yuv420p", "yuvj420p"),
    "hevc": ("yuv420p", "yuvj420p", "yuv420p10le"),
}
# Least width and height, and the most of both, that all of these take (H.264's grows later).
SIZES = {"h264": (48, 16, 4096), "hevc": (144, 144, 8192)}
_TURNED = "display_matrix"
# What a container may say of its stream's colours.
_COLOURS = ("colorspace", "color_range", "color_primaries", "color_trc")


def codec_context(context: VideoCodecContext, device: Device, max_pixels: int) -> VideoCodecContext:
    """The context that decodes a stream: its own in software, or another one on the card.

    Args:
        context: the stream's, not used so far.
        device: what is wanted.
        max_pixels: larger pictures are refused.

    Raises:
        SourceError: it is to be the GPU, which cannot; retryable where that is the device's doing.
    """
    context.thread_count = 1
    context.options = {"max_pixels": str(max_pixels)}
    if device == "cpu":
        return context
    try:
        _check(context)
        return _on_card(context)
    except _NoCardError as error:
        why, of_device = str(error), isinstance(error, _NoDeviceError)
    if device == "cuda":
        told = f"decode: cuda: {why}; give decode: auto or cpu"
        raise SourceError(told, retryable=of_device)
    log.warning("decode: auto: the CPU decodes: %s", why)
    return context


def card_trouble() -> str:
    """Why nothing can be decoded on this machine's GPU; empty: it can."""
    try:
        _check_version()
        for name in FORMATS:
            _opened(name)
    except _NoCardError as error:
        return str(error)
    return ""


class _NoCardError(Exception):
    """Its text says why there is no decoder on a card."""


class _NoDeviceError(_NoCardError):
    """It may answer another time."""


def _check_version() -> None:
    if av.__version__ < "19":  # which says nothing of `_TURNED`
        raise _NoCardError(
            f"PyAV {av.__version__} does not tell how pictures are turned, PyAV 19 or newer does, "
            "for Python 3.12 or newer"
        )


def _check(context: VideoCodecContext) -> None:
    """Whether the card would give the pictures that the CPU gives."""
    _check_version()
    if context.pix_fmt not in FORMATS.get(context.name, ()):
        decoded = "; ".join(f"{name} in {' or '.join(own)}" for name, own in FORMATS.items())
        raise _NoCardError(
            f"{context.name} in {context.pix_fmt} is not what GPUs decode here ({decoded})"
        )
    width, height, most = SIZES[context.name]
    if not (width <= context.width <= most and height <= context.height <= most):
        raise _NoCardError(
            f"{context.name} of {context.width}x{context.height} is not what GPUs decode here "
            f"({width}x{height} to {most}x{most})"
        )
    if _TURNED in context.coded_side_data:
        raise _NoCardError(
            "its container turns the pictures, which only the CPU's decoder hands on"
        )


def _on_card(context: VideoCodecContext) -> VideoCodecContext:
    """As PyAV opens a container's codecs before it is known what they are, another context is made;
    what the container says beside the codec's own bytes is carried over."""
    own = _opened(context.name)
    own.extradata = context.extradata
    own.thread_count = 1
    own.options = context.options | {"has_b_frames": str(context.reorder_depth)}
    for name in _COLOURS:
        setattr(own, name, getattr(context, name))
    return own


def _opened(codec: str) -> VideoCodecContext:
    av.logging.set_level(av.logging.PANIC)  # its errors say then what libav logged, and print none
    card = HWAccel(CUDA, allow_software_fallback=False, is_hw_owned=True)
    try:
        context = av.CodecContext.create(codec, "r", hwaccel=card)
    except (av.FFmpegError, OSError, MemoryError) as error:
        raise _NoDeviceError(f"no CUDA device answers ({describe(error)})") from None
    if not context.is_hwaccel:
        raise _NoCardError(f"this PyAV has no {codec} decoder of CUDA's")
    assert isinstance(context, VideoCodecContext)
    return context
