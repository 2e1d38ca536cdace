"""What single values of a configuration may be: as they are written -> as they are used.

Each raises ValueError, which says what the value should be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches

from pipeline.media.region import Region


def rfc3339_moment(value: object) -> datetime:
    """Text of a moment with its zone -> datetime; the zone is never guessed."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("should be an RFC 3339 time with a zone, such as 2026-11-22T17:00:00.250Z")
    return moment


def forward(span_s: tuple[float, float]) -> tuple[float, float]:
    """From one second to a later one."""
    if not span_s[0] < span_s[1]:
        raise ValueError(f"should go from one second to a later one, got {list(span_s)}")
    return span_s


def within_picture(edges: tuple[float, float, float, float]) -> tuple[float, ...]:
    """Left, top, right and bottom of a part of a picture, as `Region` has them."""
    Region(*edges)
    return edges


def gpu_share(value: object) -> object:
    """`auto`, or a part of a GPU."""
    if value == "auto" or (isinstance(value, int | float) and 0 <= value <= 1):
        return value
    raise ValueError("should be auto, or a part of a GPU from 0 to 1")


def not_empty(text: str) -> str:
    """Text that says something."""
    if not text:
        raise ValueError("should not be empty")
    return text


def empty_tables(value: object) -> object:
    """`depth:` with nothing behind it means `depth: {}`."""
    if not isinstance(value, dict):
        return value
    return {name: {} if below is None else below for name, below in value.items()}


def all_known(key: str, names: Iterable[str], known: Collection[str]) -> None:
    """What a key names are operators that run."""
    for name in names:
        if name not in known:
            other = hint(name, sorted(known))
            raise ValueError(f"{key} names {name!r}, which is no operator that runs; {other}")


def hint(name: str, known: Sequence[str]) -> str:
    """What somebody who wrote a name that is not known may have meant, or may write."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
