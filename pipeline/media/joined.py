"""MP4 files that were put together as they are (`cat a.mp4 b.mp4`): libav plays the first alone.

File in -> what it leaves out. Reads boxes, decodes nothing.
"""

from __future__ import annotations

import struct

from pipeline.media.boxes import LARGEST_HEADER, boxes, inside, top_boxes
from pipeline.media.picture import Loss
from pipeline.media.transfer import Seekable

_SAMPLES_AT = 8  # in a table of sizes: how many samples there are


def left_out(file: Seekable) -> Loss | None:
    """The films behind the first one; None: there are none, or it cannot be read.

    Raises:
        SourceError: the line broke.
    """
    try:
        films = [_frames(header) for header in _later_headers(file)]
    except (OSError, struct.error):
        return None
    if not films:
        return None
    count = "another film lies" if len(films) == 1 else f"{len(films)} more films lie"
    text = f"{count} behind the first, which alone is played; play the files with --join instead"
    return Loss(sum(films), text)


def _later_headers(file: Seekable) -> list[bytes]:
    """Each `moov` with a `ftyp` of its own, but for the first. One of fragments repeats the header
    of what is one film for libav as well."""
    headers: list[bytes] = []
    begun = films = 0
    for box in top_boxes(file):
        begun += box.kind == b"ftyp"
        if box.kind == b"moov":
            again = 0 < films < begun and box.size <= LARGEST_HEADER
            header = box.contents(file) if again else b""
            films += 1
            if header and not inside(header, b"mvex"):
                headers.append(header)
    return headers


def _frames(header: bytes) -> int:
    """Of its longest video."""
    counts = [0]
    for track in boxes(header, b"trak"):
        media = inside(track, b"mdia")
        if inside(media, b"hdlr")[8:12] == b"vide":
            table = inside(media, b"minf", b"stbl")
            if sizes := inside(table, b"stsz") or inside(table, b"stz2"):
                counts += struct.unpack_from(">I", sizes, _SAMPLES_AT)
    return max(counts)
