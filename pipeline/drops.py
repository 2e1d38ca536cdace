"""Which cameras have lost frames, from one look to the next, for a person. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from pipeline.engine.camera import Camera, told


class Loss(NamedTuple):
    """Frames of a camera that were dropped since the last look.

    Attributes:
        asked: it is what the camera's `drop` asks for, and no trouble.
    """

    stream: str
    text: str
    asked: bool


class Drops:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._seen: Mapping[str, Camera] = {}

    def news(self, cameras: Mapping[str, Camera], latest: Collection[str]) -> list[Loss]:
        """Of every camera that has lost frames since the last look.

        Args:
            cameras: how they fare.
            latest: those of which the latest frames alone are wanted (`drop: latest`).
        """
        losses = []
        for stream, camera in cameras.items():
            if dropped := camera.dropped_since(self._seen.get(stream, Camera())):
                asked = stream in latest and dropped.keys() == {"full"}
                age = f"its records are {camera.lag_s:.1f} s old"
                said = f"{stream}: {told(dropped)}, {age}: {_why(dropped, asked)}"
                losses.append(Loss(stream, said, asked))
        self._seen = dict(cameras)
        return losses


def _why(dropped: Mapping[str, int], asked: bool) -> str:
    if asked:
        return "its latest frames alone are wanted (drop: latest)"
    if dropped.keys() == {"suspended"}:
        return "its operators keep failing"
    if dropped.keys() == {"spill"}:
        return "what was kept of it on disk was lost, as the log has told"
    return "the engine is too slow for it"
