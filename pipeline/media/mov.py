"""What the boxes of a MOV or MP4 say that PyAV does not."""

from __future__ import annotations

from typing import cast

from pipeline.media.aperture import Aperture, aperture_of
from pipeline.media.container import Opened
from pipeline.media.joined import left_out
from pipeline.media.picture import Loss
from pipeline.media.transfer import Seekable

MOV = "mov,mp4,m4a,3gp,3g2,mj2"  # as libav calls the format


def described(opened: Opened, url: str) -> tuple[Aperture | None, Loss | None]:
    """What of its pictures is shown, where not all is, and what libav leaves out of the file. Over
    http each box costs a request, so there the second is not looked for.

    Args:
        opened: any container; there is nothing to say of another kind.
        url: what was opened.
    """
    if opened.container.format.name != MOV or not opened.finite:
        return None, None
    if opened.source is None:
        try:
            with open(url, "rb") as file:
                return aperture_of(file, opened.stream.id), left_out(file)
        except OSError:  # it has gone meanwhile, which decoding will tell
            return None, None
    source = cast("Seekable", opened.source)  # what is finite is no camera's
    if not source.seekable():
        return None, None
    here = source.tell()
    aperture = aperture_of(source, opened.stream.id)
    source.seek(here)
    return aperture, None


def frames_declared(opened: Opened) -> int:
    """Frames that a whole file says it has; 0 where it does not say."""
    stream = opened.stream
    if opened.container.format.name == MOV:  # without what its edit list cuts away
        return min(stream.frames, len(stream.index_entries))
    return stream.frames
