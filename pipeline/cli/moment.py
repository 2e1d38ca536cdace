"""A moment as an option takes it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import click

from operators.moment import microseconds


def moment_us(text: str) -> int | None:
    """RFC 3339 -> microseconds since the epoch."""
    with suppress(ValueError, TypeError):  # without a zone it is no moment
        return microseconds(datetime.fromisoformat(text))
    raise click.BadParameter(f"{text!r} is no time with a zone, such as 2026-11-29T17:00:00Z")
