"""What kind of timeline a session is, by its name alone. Pure."""

from __future__ import annotations

import re

# UTC microseconds, which since 2001 have 16 digits; of a recording it is 12 hex of its content.
_CONNECTION = re.compile(r"[0-9]{16,}")


def is_connection(session: str) -> bool:
    """Whether it is one of a live stream, whose event time is a wall clock."""
    return _CONNECTION.fullmatch(session) is not None
