"""Round moments along an axis of time or of steps, and how they are written. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pipeline.plot.bins import Span

Along = Literal["moments", "recording", "steps"]
"""What an axis goes along: seconds since the epoch, or since a recording began, or steps."""

_STEPS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800),
)
_DAY_S = 86_400
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799  # that datetime knows


def marks(span: Span, *, most: int, along: Along = "moments") -> list[int]:
    """Round moments of a span at equal steps.

    Args:
        most: of them.
        along: what its seconds are.
    """
    length_s = span.end_s - span.first_s
    if along == "steps":
        power = 10 ** max(0, len(str(length_s // most)) - 1)
        step_s = next(
            one for one in (power, 2 * power, 5 * power, 10 * power) if length_s / one < most
        )
    else:
        step_s = next((one for one in _STEPS_S if length_s / one < most), 0)
        step_s = step_s or _DAY_S * -(-length_s // (_DAY_S * (most - 1)))
    first = -(-span.first_s // step_s) * step_s
    return list(range(first, span.end_s + 1, step_s))


def mark_text(at_s: int, step_s: int, *, along: Along) -> str:
    """One of them, as short as its step allows.

    Args:
        at_s: seconds, or steps.
        step_s: to the next.
        along: what they are.
    """
    if along == "steps":
        return f"{at_s:,}"
    if along == "recording":
        return _elapsed(at_s)
    form = "%m-%d" if step_s >= _DAY_S else "%H:%M" if step_s >= 60 else "%H:%M:%S"
    return _moment(at_s).strftime(form)


def span_text(span: Span, *, along: Along) -> str:
    """What the axis is, with its day."""
    if along == "steps":
        return "steps"
    if along == "recording":
        return "time in the recording"
    first, last = map(_moment, (span.first_s, span.end_s))
    days = sorted({one.strftime("%Y-%m-%d") for one in (first, last)})
    return f"{' to '.join(days)}, UTC"


def width_text(width_s: int) -> str:
    """A bin's width: `10 s`, `5 min`, `3 h`, `2 d`."""
    for unit_s, unit in ((_DAY_S, "d"), (3600, "h"), (60, "min")):
        if width_s % unit_s == 0:
            return f"{width_s // unit_s} {unit}"
    return f"{width_s} s"


def _moment(at_s: int) -> datetime:
    return datetime.fromtimestamp(min(max(at_s, _FIRST_S), _LAST_S), UTC)


def _elapsed(at_s: int) -> str:
    minutes, seconds = divmod(at_s, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
