"""What one source of pictures gave, as a line of a journal."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pipeline.features.taking import Counted
from pipeline.pretrain.copies import Tiny
from pipeline.pretrain.picture import Picture


@dataclass(frozen=True, slots=True)
class Found:
    """Of a recording, or of a picture file.

    Attributes:
        name: the recording's stream, or the file's path.
        source: where it lies, secrets masked.
        pictures: in the order of their times.
        tinies: of each.
        trouble: why not all could be read; "": all was.
        counted: a recording's frames.
    """

    name: str
    source: str
    pictures: tuple[Picture, ...] = ()
    tinies: tuple[Tiny, ...] = ()
    trouble: str = ""
    counted: Counted = field(default_factory=Counted)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "name": self.name,
            "source": self.source,
            "pictures": [one.to_json() for one in self.pictures],
            "tinies": [base64.b64encode(one.tobytes()).decode() for one in self.tinies],
            "trouble": self.trouble,
            "counted": asdict(self.counted),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Found:
        """What `to_json` wrote."""
        tinies = (np.frombuffer(base64.b64decode(one), np.uint8) for one in values["tinies"])
        return cls(
            values["name"],
            values["source"],
            tuple(map(Picture.from_json, values["pictures"])),
            tuple(tinies),
            values["trouble"],
            Counted(**values["counted"]),
        )
