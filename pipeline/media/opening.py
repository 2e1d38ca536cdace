"""Opens a source as what it is: a playlist, or one container."""

from __future__ import annotations

from pipeline.media.container import open_source
from pipeline.media.device import Device
from pipeline.media.growing import GrowingFile
from pipeline.media.hls import HlsReel
from pipeline.media.picture import Mark
from pipeline.media.reel import VideoReel
from pipeline.media.transfer import PlaylistError, Transfer


def open_reel(
    url: str,
    *,
    keyframes: bool,
    max_pixels: int,
    damaged: bool,
    deinterlace: bool = True,
    device: Device = "cpu",
    short_side: int,
    timeout_s: float,
    stall_s: float,
    transfer: Transfer,
    shown: Mark | None = None,
) -> VideoReel | HlsReel:
    """Open a source for decoding.

    Args:
        url: a path, an rtsp(s), http(s), srt, udp or tcp URL, or `v4l2:` and a device.
        keyframes: decode key frames only.
        max_pixels: refuse larger pictures.
        damaged: give out pictures that a loss has spoilt.
        deinterlace: take one field of interlaced pictures.
        device: what decodes.
        short_side: of the pictures that the frames need, pixels; among variants it decides.
        timeout_s: network: longest wait for opening, probing, and each read.
        stall_s: a live playlist that has not grown for so long stands still.
        transfer: how http(s) is read.
        shown: live: the mark of the last picture that an earlier connection gave out.

    Raises:
        SourceError: it cannot be opened, holds no video, or is refused. Holds no password.
    """
    try:
        return VideoReel.open(
            url,
            keyframes=keyframes,
            max_pixels=max_pixels,
            damaged=damaged,
            deinterlace=deinterlace,
            device=device,
            timeout_s=timeout_s,
            transfer=transfer,
        )
    except PlaylistError as playlist:
        return HlsReel.open(
            url,
            playlist.site,
            keyframes=keyframes,
            max_pixels=max_pixels,
            damaged=damaged,
            deinterlace=deinterlace,
            device=device,
            short_side=short_side,
            live=transfer.live,
            stall_s=stall_s,
            wait=transfer.wait,
            shown=shown,
        )


def open_growing(
    file: GrowingFile, *, max_pixels: int, damaged: bool, deinterlace: bool, device: Device = "cpu"
) -> VideoReel:
    """Open a file that is still written; the arguments are as above. All of it is decoded: whether
    key frames could be told apart without, only the whole file would say.

    Raises:
        SourceError: it holds no video, or is refused.
    """
    return VideoReel(
        open_source(file, max_pixels=max_pixels, growing=True),
        keyframes=False,
        max_pixels=max_pixels,
        damaged=damaged,
        deinterlace=deinterlace,
        device=device,
    )
