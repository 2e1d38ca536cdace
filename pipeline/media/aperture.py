"""The part of a MOV or MP4 track's pictures that is shown: its clean aperture (`clap`).

libav reads the box, but PyAV does not hand on what it says. Reads boxes, decodes nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from pipeline.media.boxes import LARGEST_HEADER, boxes, inside, top_boxes
from pipeline.media.transfer import Seekable

_ENTRY_BYTES = 78  # of a visual sample entry, before its boxes (ISO/IEC 14496-12, 12.1.3)


@dataclass(frozen=True, slots=True)
class Aperture:
    """A part of the stored picture, pixels."""

    width: int
    height: int
    left: int
    top: int


def aperture_of(file: Seekable, track: int) -> Aperture | None:
    """What is shown of a track's pictures; None: all, or it cannot be read.

    Raises:
        SourceError: the line broke.
    """
    try:
        for trak in boxes(_header(file), b"trak"):
            if _track_id(trak) == track:
                return _aperture(trak)
    except (OSError, struct.error, IndexError, ZeroDivisionError):
        pass
    return None


def _header(file: Seekable) -> bytes:
    """What is in `moov`."""
    for box in top_boxes(file):
        if box.kind == b"moov" and box.size <= LARGEST_HEADER:
            return box.contents(file)
    return b""


def _track_id(trak: bytes) -> int:
    head = inside(trak, b"tkhd")
    (number,) = struct.unpack_from(">I", head, 20 if head[0] == 1 else 12)
    return int(number)


def _aperture(trak: bytes) -> Aperture | None:
    descriptions = inside(trak, b"mdia", b"minf", b"stbl", b"stsd")
    entry_bytes, _ = struct.unpack_from(">I4s", descriptions, 8)
    entry = descriptions[16 : 8 + entry_bytes]
    width, height = struct.unpack_from(">HH", entry, 24)
    clap = inside(entry[_ENTRY_BYTES:], b"clap")
    if not clap:
        return None
    numbers = struct.unpack_from(">8i", clap)
    shown_w, shown_h, right, down = (Fraction(*numbers[k : k + 2]) for k in (0, 2, 4, 6))
    left, top = (width - shown_w) / 2 + right, (height - shown_h) / 2 + down
    found = Aperture(int(shown_w), int(shown_h), int(left), int(top))
    fits = found.left >= 0 and found.top >= 0
    fits &= found.left + found.width <= width and found.top + found.height <= height
    whole = (found.width, found.height) == (width, height)
    return found if fits and not whole and found.width > 0 and found.height > 0 else None
