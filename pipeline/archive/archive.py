"""A folder of kept features: which streams and sessions lie there, and the bases they need."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from operators.archive.kind import Kind
from operators.errors import WeightsError
from operators.weights.digest import sha256_file
from operators.whole_file import whole_file
from pipeline.archive.header import Header
from pipeline.archive.session import Session
from pipeline.errors import SourceError
from pipeline.sinks.spill.segment import sync_folder

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

    def headers(self) -> dict[str, list[Header]]:
        """Stream of which anything is kept -> the headers of its sessions, both in order.

        Raises:
            SourceError: as of `sessions`.
        """
        every = {name: self.sessions(name) for name in _folders(self.root / _STREAMS)}
        return {name: [header for header, _ in own] for name, own in every.items() if own}

    def sessions(self, stream: str) -> list[tuple[Header, Session]]:
        """Of a stream, in the order of their first frames; those that hold no frame are left out.

        Raises:
            SourceError: one cannot be read, or is of another version.
        """
        own = [(one.header(), one) for one in self.folders(stream)]
        found = [(header, one) for header, one in own if header is not None]
        return sorted(found, key=lambda one: (one[0].begin_us, one[0].session))

    def folders(self, stream: str) -> list[Session]:
        """Of a stream, by their names, whatever is in them.

        Raises:
            SourceError: they cannot be read.
        """
        return [self.session(stream, name) for name in _folders(self.folder(stream))]

    def basis(self, kind: Kind) -> Path:
        """Where the basis of what is kept lies."""
        return self.root / _BASES / f"{kind.basis}.safetensors"

    def keep_basis(self, source: Path, kind: Kind) -> None:
        """Put a copy there, so that the folder can be read wherever it is taken; in the place of
        one that is damaged.

        Raises:
            WeightsError: the source is another one by now.
            OSError: it cannot be written.
        """
        there = self.basis(kind)
        if there.exists() and sha256_file(there) == kind.basis:
            return
        there.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(there) as draft:
            with draft.open("wb") as file:
                file.write(source.read_bytes())
                file.flush()
                os.fsync(file.fileno())
            if (found := sha256_file(draft)) != kind.basis:
                raise WeightsError(
                    f"{source}: has changed since it was read: its sha256 was {kind.basis}, and is "
                    f"{found}; start again"
                )
        sync_folder(there.parent)


def _folders(path: Path) -> list[str]:
    try:
        return sorted(one.name for one in os.scandir(path) if one.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error
