"""The page's own files, as they are sent: read once, and kept by browsers for ever.

Their addresses hold a digest of them all, so that a new release is another address.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
INDEX = "index.html"
_PLACE = b"{{version}}"
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    media_type: str
    content: bytes


class Statics:
    """All of them.

    Attributes:
        version: 12 hex of their content.
    """

    def __init__(self) -> None:
        found = {
            one.name: one.read_bytes()
            for one in sorted((files(__package__) / "static").iterdir(), key=lambda one: one.name)
            if PurePosixPath(one.name).suffix in TYPES
        }
        digest = hashlib.sha256()
        for name, content in found.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.version = digest.hexdigest()[:_DIGITS]
        found[INDEX] = found[INDEX].replace(_PLACE, self.version.encode())
        self._assets = {
            name: Asset(TYPES[PurePosixPath(name).suffix], content)
            for name, content in found.items()
        }

    @property
    def index(self) -> Asset:
        """The page itself."""
        return self._assets[INDEX]

    def asset(self, version: str, name: str) -> Asset | None:
        """One of this release; None where there is none."""
        return self._assets.get(name) if version == self.version else None


@functools.cache
def statics() -> Statics:
    """Of this release."""
    return Statics()
