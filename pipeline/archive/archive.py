"""A folder of kept features: which streams and sessions lie there, and the bases they need."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from operators.archive.kind import Kind
from pipeline.archive.header import Header
from pipeline.archive.session import Session
from pipeline.errors import SourceError

SCHEME = "features:"  # before its path, where it is named as a source
_BASES, _STREAMS = "bases", "streams"


@dataclass(frozen=True, slots=True)
class Archive:
    """Below `root`: `streams/STREAM/SESSION/*.kept` and `bases/SHA256.safetensors`."""

    root: Path

    def session(self, stream: str, session: str) -> Session:
        """One of a stream, which may not be there."""
        return Session(self.folder(stream) / session)

    def folder(self, stream: str) -> Path:
        """Of a stream."""
        return self.root / _STREAMS / stream

    def streams(self) -> list[str]:
        """Of which anything is kept, in order."""
        return [name for name in _folders(self.root / _STREAMS) if self.sessions(name)]

    def sessions(self, stream: str) -> list[tuple[Header, Session]]:
        """Of a stream, in the order of their first frames; those without a whole header, which
        hold no frame, are left out."""
        found = []
        for name in _folders(self.folder(stream)):
            session = self.session(stream, name)
            try:
                found.append((session.header(), session))
            except SourceError:
                continue
        return sorted(found, key=lambda one: (one[0].begin_us, one[0].session))

    def basis(self, kind: Kind) -> Path:
        """Where the basis of what is kept lies."""
        return self.root / _BASES / f"{kind.basis}.safetensors"

    def keep_basis(self, source: Path, kind: Kind) -> None:
        """Put a copy there, so that the folder can be read wherever it is taken.

        Raises:
            OSError: it cannot be written.
        """
        there = self.basis(kind)
        if there.exists():
            return
        there.parent.mkdir(parents=True, exist_ok=True)
        draft = there.with_name(f".{there.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(source, draft)
            os.replace(draft, there)
        finally:
            draft.unlink(missing_ok=True)


def _folders(path: Path) -> list[str]:
    if not path.is_dir():
        return []
    return sorted(one.name for one in os.scandir(path) if one.is_dir())
