"""Connects to a live source: its spec in, a reel of what it brings out."""

from __future__ import annotations

from pipeline.media.hls import HlsReel
from pipeline.media.opening import open_reel
from pipeline.media.reel import VideoReel
from pipeline.media.tape_reel import TapeReel
from pipeline.media.transfer import Transfer
from pipeline.stream.spec import StreamSpec

LiveReel = VideoReel | HlsReel | TapeReel


def connected(spec: StreamSpec, transfer: Transfer) -> LiveReel:
    """One connection.

    Args:
        spec: of the stream.
        transfer: how http(s) is read.

    Raises:
        SourceError: there is none.
    """
    return open_reel(
        spec.url,
        keyframes=all(rule.mode == "keyframes" for rule in spec.samplings),
        max_pixels=spec.max_pixels,
        damaged=spec.damaged,
        deinterlace=spec.deinterlace,
        device=spec.decode,
        short_side=spec.picture_side,
        timeout_s=spec.stall_s * 0.4,  # opening takes two; RTSP doubles a read's
        transfer=transfer,
        stall_s=spec.stall_s,
        shown=spec.cursor["mark"] if spec.cursor else None,
    )
