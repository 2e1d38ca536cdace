"""Which video codecs this build of FFmpeg has.

Nothing in -> names and version out.
"""

from __future__ import annotations

from dataclasses import dataclass

import av

from pipeline.media.card import card_trouble

CURRENT_AVCODEC = 63  # major version, of FFmpeg 9
COMMON = ("h264", "hevc", "av1", "vp9", "vp8", "mpeg4", "mpeg2video", "mjpeg", "prores")


@dataclass(frozen=True, slots=True)
class Codecs:
    """What can be decoded here.

    Attributes:
        version: of FFmpeg and of PyAV around it.
        present: those of `COMMON` that can be decoded.
        absent: the others.
        card: why this machine's GPU decodes nothing; empty: it does.
        outdated: this FFmpeg has known holes that a newer one has closed.
    """

    version: str
    present: tuple[str, ...]
    absent: tuple[str, ...]
    card: str
    outdated: bool


def codecs() -> Codecs:
    """Ask FFmpeg."""
    present = tuple(name for name in COMMON if _decodes(name))
    absent = tuple(name for name in COMMON if name not in present)
    return Codecs(
        version=f"FFmpeg {av.ffmpeg_version_info}, PyAV {av.__version__}",
        present=present,
        absent=absent,
        card=card_trouble(),
        outdated=av.library_versions["libavcodec"][0] < CURRENT_AVCODEC,
    )


def _decodes(name: str) -> bool:
    try:
        av.Codec(name, "r")
    except ValueError:  # PyAV's UnknownCodecError
        return False
    return True
