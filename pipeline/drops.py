"""Which cameras have lost frames, from one look to the next, for a person. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.engine.camera import Camera, told


class Drops:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._seen: Mapping[str, Camera] = {}

    def news(self, cameras: Mapping[str, Camera]) -> dict[str, str]:
        """A line per camera that has lost frames since the last look."""
        lines = {}
        for stream, camera in cameras.items():
            if dropped := camera.dropped_since(self._seen.get(stream, Camera())):
                age = f"its records are {camera.lag_s:.1f} s old"
                lines[stream] = f"{stream}: {told(dropped)}, {age}: the engine is too slow for it"
        self._seen = dict(cameras)
        return lines
