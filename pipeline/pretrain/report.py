"""What became of everything that a user named: told once, and kept with the corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.pretrain.found import Found


@dataclass(frozen=True, slots=True)
class Report:
    """
    Attributes:
        sources: recordings and picture files that were named.
        frames: of the recordings, that were decoded.
        shots: of the recordings.
        unseen: shots of which no frame was looked at.
        candidates: pictures that were found.
        copies: of those, the ones that repeat an earlier one and are left out.
        pictures: that are left.
        troubles: where each source lies that could not be read, or not to its end, and why.
    """

    sources: int
    frames: int
    shots: int
    unseen: int
    candidates: int
    copies: int
    pictures: int
    troubles: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, found: Sequence[Found], pictures: int) -> Report:
        """Of all sources, and how many of their pictures are left."""
        candidates = sum(len(one.pictures) for one in found)
        return cls(
            len(found),
            sum(one.counted.decoded for one in found),
            sum(one.counted.shots for one in found),
            sum(one.counted.unseen for one in found),
            candidates,
            candidates - pictures,
            pictures,
            tuple((one.source, one.trouble) for one in found if one.trouble),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Report:
        """What `to_json` wrote."""
        return cls(**{**values, "troubles": tuple(map(tuple, values["troubles"]))})
