"""What one recording gives to a data set: its candidates, and what became of its frames.

One file each, whole or not at all, so that a job that is killed goes on with the next recording.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from operators.errors import UsageError
from operators.groups.grid import Units
from operators.weights.header import HEADER_KEY
from operators.whole_file import whole_file
from pipeline.errors import SinkError
from pipeline.features.taking import Counted

KIND = "dinostream curate harvest"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One frame that may become a picture of the data set.

    Attributes:
        session, position: of the frame.
        time_us: event time, microseconds since the epoch.
        jpeg: its picture, classes hidden that nobody shall recognise.
    """

    session: str
    position: str
    time_us: int
    jpeg: bytes

    @property
    def sha256(self) -> str:
        """Of the picture."""
        return hashlib.sha256(self.jpeg).hexdigest()


@dataclass(frozen=True, slots=True)
class Harvest:
    """Of one recording.

    Attributes:
        stream: its name.
        source: where it lies, secrets masked.
        outcome: as of `pipeline.stream.chunk.End`.
        detail: why.
        again: it may give more another day; it is not kept.
        counted: its frames.
        candidates: in the order of their times.
        units: float32 `[n, D]`, their vectors.
    """

    stream: str
    source: str
    outcome: str
    detail: str
    again: bool
    counted: Counted
    candidates: tuple[Candidate, ...]
    units: Units

    @property
    def ok(self) -> bool:
        """All of it was read."""
        return self.outcome == "ok"

    def write(self, path: Path) -> None:
        """Keep it.

        Raises:
            SinkError: it cannot be written.
        """
        said: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__[:5]}
        said |= {"kind": KIND, "format": FORMAT, "counted": asdict(self.counted)}
        said["candidates"] = [
            [one.session, one.position, one.time_us, len(one.jpeg)] for one in self.candidates
        ]
        pictures = np.frombuffer(b"".join(one.jpeg for one in self.candidates), np.uint8)
        arrays: dict[str, NDArray[Any]] = {
            "units": np.ascontiguousarray(self.units),
            "pictures": pictures,
        }
        try:
            with whole_file(path) as draft:
                save_file(arrays, draft, metadata={HEADER_KEY: json.dumps(said)})
        except (OSError, SafetensorError) as error:
            raise SinkError(f"cannot write {path}: {error}") from error


def read_harvest(path: Path) -> Harvest:
    """What `write` wrote.

    Raises:
        UsageError: it is something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            said = json.loads((file.metadata() or {})[HEADER_KEY])
            units, pictures = file.get_tensor("units"), file.get_tensor("pictures")
        if (said["kind"], said["format"]) != (KIND, FORMAT):
            raise ValueError(said["kind"])
        return _harvest(said, units, pictures)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is no recording's candidates ({error}); remove it, and they are found again"
        ) from None


def _harvest(said: Mapping[str, Any], units: Units, pictures: NDArray[np.uint8]) -> Harvest:
    data, at, candidates = pictures.tobytes(), 0, []
    for session, position, time_us, size in said["candidates"]:
        candidates.append(Candidate(session, position, time_us, data[at : at + size]))
        at += size
    own = {name: said[name] for name in Harvest.__slots__[:5]}
    return Harvest(
        **own, counted=Counted(**said["counted"]), candidates=tuple(candidates), units=units
    )
