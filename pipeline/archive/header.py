"""What a segment of an archive says first of what follows; JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from operators.archive.kind import Kind

FORMAT = 2  # of 1 no frame repeats another, and pictures are not packed
_READ = (1, FORMAT)


@dataclass(frozen=True, slots=True)
class Header:
    """Of a segment.

    Attributes:
        stream, session: whose frames.
        job: that kept them; it alone may write them again.
        samplings: the stream's rules, in canonical form; rule i is bit i of `Group.taken`.
        short_side: of a frame at the backbone, pixels.
        begin_us: event time of the session's first frame, microseconds since the epoch.
        kind: what is kept of each frame.
        gate: keys of the `Gate` that said which frames repeat one; None: there was none.
    """

    stream: str
    session: str
    job: str
    samplings: tuple[str, ...]
    short_side: int
    begin_us: int
    kind: Kind
    gate: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """One JSON object."""
        own = {name: getattr(self, name) for name in self.__slots__}
        own |= {"format": FORMAT, "kind": self.kind.to_json()}
        return json.dumps(own, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` gave.

        Raises:
            ValueError: it is something else, or of a newer version.
        """
        said: Mapping[str, Any] = json.loads(data)
        if not isinstance(said, dict) or said.get("format") not in _READ:
            raise ValueError("no archive that this version reads")
        try:
            return cls(
                said["stream"],
                said["session"],
                said["job"],
                tuple(said["samplings"]),
                said["short_side"],
                said["begin_us"],
                Kind.from_json(said["kind"]),
                said.get("gate"),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no archive that this version reads: {error!r}") from error
