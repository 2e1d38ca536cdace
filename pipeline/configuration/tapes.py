"""A tape, or a folder of tapes -> the streams to replay. Opens no film."""

from __future__ import annotations

import hashlib

from operators.errors import UsageError
from pipeline.configuration.folder import videos_below
from pipeline.configuration.source_plan import SourcePlan
from pipeline.errors import SourceError
from pipeline.media.fingerprint import SESSION_DIGITS
from pipeline.media.tape import inventory, late_begins, tapes_at


def tapes_in(source: str) -> list[tuple[str, SourcePlan]]:
    """Tapes under the names of their streams; one that has grown is another recording.

    Raises:
        UsageError: one is of a newer version, or other videos lie beside them.
    """
    try:
        found = tapes_at(source)
    except SourceError as error:
        raise UsageError(str(error)) from None
    if found and source not in found:
        _refuse_videos(source)
    return [
        (
            stream,
            SourcePlan(
                "",
                folder,
                False,
                _session(folder),
                taped=True,
                late_begins=late_begins(folder),
            ),
        )
        for folder, stream in found.items()
    ]


def _refuse_videos(folder: str) -> None:
    """Whoever names a folder means all that lies there, and tapes are played by other rules."""
    if (other := next(videos_below(folder), None)) is not None:
        raise UsageError(
            f"{folder} holds tapes and other videos, such as {other}; name the ones or the others"
        )


def _session(folder: str) -> str:
    return hashlib.sha256(inventory(folder)).hexdigest()[:SESSION_DIGITS]
