"""A tape, or a folder of tapes -> the streams to replay. Opens no film."""

from __future__ import annotations

import hashlib

from operators.errors import UsageError
from pipeline.configuration.folder import videos_below
from pipeline.configuration.source_plan import SourcePlan
from pipeline.errors import SourceError
from pipeline.media.fingerprint import SESSION_DIGITS
from pipeline.media.tape import late_begins, tapes_at


def tapes_in(source: str) -> list[tuple[str, SourcePlan]]:
    """Tapes under the names of their streams.

    Raises:
        UsageError: one is of a newer version, or other videos lie beside them.
    """
    try:
        found = tapes_at(source)
    except SourceError as error:
        raise UsageError(str(error)) from None
    if found and source not in found:
        _refuse_videos(source)
    return [(stream, _plan(folder, stream)) for folder, stream in found.items()]


def _plan(folder: str, stream: str) -> SourcePlan:
    late = late_begins(folder)
    return SourcePlan("", folder, False, _session(stream), taped=True, late_begins=late)


def _refuse_videos(folder: str) -> None:
    """Whoever names a folder means all that lies there, and tapes are played by other rules."""
    if (other := next(videos_below(folder), None)) is not None:
        raise UsageError(
            f"{folder} holds tapes and other videos, such as {other}; name the ones or the others"
        )


def _session(stream: str) -> str:
    """Neither of the place nor of the segments: a tape grows, and its oldest go."""
    return hashlib.sha256(f"tape\0{stream}".encode()).hexdigest()[:SESSION_DIGITS]
