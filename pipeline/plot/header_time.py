"""Moments in a record's headers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from operators.moment import microseconds


def header_time_us(headers: Mapping[str, str], name: str) -> int:
    """Of a header, microseconds since the epoch.

    Raises:
        KeyError, ValueError, TypeError: it is not there, or no moment.
    """
    time_us = microseconds(datetime.fromisoformat(headers[name]))
    assert time_us is not None
    return time_us
