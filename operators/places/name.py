"""What zones, lines and alerts may be called: names go into records' ids."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def refuse_name(name: str) -> None:
    """
    Raises:
        ValueError: it cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a name has 1 to 64 of A-Z a-z 0-9 _ -, got {name!r}")
