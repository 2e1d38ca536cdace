"""One picture that a backbone may be trained on: where it lies, and of whom it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """A line of a corpus's manifest.

    Attributes:
        path: of its file; without a folder it lies beside the manifest.
        size_bytes, sha256: of that file.
        stream: the recording that it is a frame of, or the folder that it lies in.
        session, position: of the frame; "" of no frame.
        time_us: event time of the frame, microseconds since the epoch; None of no frame.
    """

    path: str
    size_bytes: int
    sha256: str
    stream: str
    session: str = ""
    position: str = ""
    time_us: int | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Picture:
        """What `to_json` wrote."""
        return cls(**values)
