"""Why a stream did not end well, in one line for a person. Pure."""

from __future__ import annotations

from pipeline.secrets import mask
from pipeline.stream.chunk import End
from pipeline.trace import DETAIL_CHARS


def end_reason(end: End, first: str) -> str:
    """Why; where the end counts frames only, with what lost the first of them (`first`)."""
    if end.outcome == "ok":
        return ""
    if end.outcome != "degraded" or not end.lost or first in end.detail:
        return brief(end.detail)
    return f"{brief(end.detail)}: {first}"


def brief(detail: str) -> str:
    """Without secrets, and not too long."""
    return mask(detail)[:DETAIL_CHARS]
