"""Windows of frames and shots, as their records tell of them."""

from __future__ import annotations

import json

from pipeline.records.record import Message
from pipeline.records.topics import SHOTS


def is_cut_short(message: Message) -> bool:
    """A window that was closed before it was full, or a shot that was not cut: by a gap or by the
    end of what was played."""
    if message.headers.get("content-type") != "application/json":
        return False
    said = json.loads(message.value)
    if not isinstance(said, dict):
        return False
    open_end = message.topic == SHOTS and said.get("ended") in ("gap", "end")
    return open_end or said.get("partial") is True
