"""Windows of frames, as their records tell of them."""

from __future__ import annotations

import json

from pipeline.records.record import Message


def is_cut_short(message: Message) -> bool:
    """A window that was closed before it was full: by a gap or by the end of what was played."""
    if message.headers.get("content-type") != "application/json":
        return False
    said = json.loads(message.value)
    return isinstance(said, dict) and said.get("partial") is True
