"""What a file's name says: a video or a picture, and where a person would sort it."""

from __future__ import annotations

import re

_VIDEO = re.compile(
    r"\.(3g[2p]|asf|avi|dav|divx|dv|f4v|flv|gif|gxf|h26[45]|hevc|ivf|m2p|m2ts|m2v|m4v|mj2|mjpe?g|mkv"
    r"|mov|mp4|mpe?g|mpe|mpv|mts|mxf|nut|obu|og[mv]|qt|rm|rmvb|ts|vob|webm|wmv|wtv|y4m)$",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"\.(avif|bmp|gif|jfif|jpe?g|jp2|png|ppm|tiff?|webp)$", re.IGNORECASE)
# Bins, snapshots and thumbnails of file systems and their servers: copies of what is there.
_SYSTEM = re.compile(
    r"\..*|@eaDir|@Recycle|#recycle|#snapshot|lost\+found|System Volume Information|\$RECYCLE\.BIN",
    re.IGNORECASE,
)


def is_video(name: str) -> bool:
    """Whether a file is one by its ending."""
    return bool(_VIDEO.search(name))


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its ending; a `.gif` may be one, and is a video too."""
    return bool(_PICTURE.search(name))


def is_system(name: str) -> bool:
    """Whether a folder is hidden, or a file system's own."""
    return bool(_SYSTEM.fullmatch(name))


def as_sorted(name: str) -> list[str | int]:
    """A key: as a person would sort, part-2 before part-10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
