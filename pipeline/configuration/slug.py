"""What a stream is called after its file. Pure."""

from __future__ import annotations

import hashlib
import os
import re

ID_LENGTH = 128
COLLISION_DIGITS = 6


def slug(name: str) -> str:
    """What an id may hold of a path; where that would be too much, a mark stands for the rest."""
    said = "/".join(map(_said, name.split("/")))
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", said).strip("-") or "stream"
    if len(text) <= ID_LENGTH:
        return text
    mark = hashlib.sha256(os.fsencode(name)).hexdigest()[:COLLISION_DIGITS]
    return f"{text[: ID_LENGTH - COLLISION_DIGITS - 1]}-{mark}"


def _said(part: str) -> str:
    """A mark stands for a name that an id may hold nothing of but its ending."""
    stem, ending = os.path.splitext(part)
    if not part or re.search(r"[A-Za-z0-9]", stem):
        return part
    return hashlib.sha256(os.fsencode(part)).hexdigest()[:COLLISION_DIGITS] + ending
