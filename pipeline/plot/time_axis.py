"""Round moments along an axis of time, and how they are written. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.plot.bins import Span

_STEPS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800),
)
_DAY_S = 86_400
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799  # that datetime knows


def marks(span: Span, *, most: int) -> list[int]:
    """Round moments of a span, seconds since the epoch, at equal steps.

    Args:
        most: of them.
    """
    step_s = next((one for one in _STEPS_S if (span.end_s - span.first_s) / one < most), 0)
    step_s = step_s or _DAY_S * -(-(span.end_s - span.first_s) // (_DAY_S * (most - 1)))
    first = -(-span.first_s // step_s) * step_s
    return list(range(first, span.end_s + 1, step_s))


def mark_text(at_s: int, step_s: int, *, wall: bool) -> str:
    """One of them, as short as its step allows.

    Args:
        at_s: seconds since the epoch, or since a recording began.
        step_s: to the next.
        wall: it is a moment, and no place in a recording.
    """
    if not wall:
        return _elapsed(at_s)
    form = "%m-%d" if step_s >= _DAY_S else "%H:%M" if step_s >= 60 else "%H:%M:%S"
    return _moment(at_s).strftime(form)


def span_text(span: Span, *, wall: bool) -> str:
    """What the axis is, with its day."""
    if not wall:
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
