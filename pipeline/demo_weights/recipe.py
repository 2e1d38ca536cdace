"""Which rendered clips: a scene, a size and seeds, and the files that hold them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.synthetic.uri import SceneSpec

CLIPS_PER_FILE = 50


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which clips.

    Attributes:
        scene: of `synthetic:`.
        first_seed: of the first clip; the others follow.
        clips: how many.
        frames: T of a clip.
        fps: frames per second of footage.
        apart: of a clip's frames, in frames of the footage.
        size_wh: of the frames, pixels.
        paces: a scene does its action in so many times the length of a clip; the clip is some part
            of it.
    """

    scene: str
    first_seed: int
    clips: int
    frames: int = 8
    fps: int = 5
    apart: int = 1
    size_wh: tuple[int, int] = (112, 112)
    paces: tuple[int, ...] = (1, 2, 4)

    @property
    def name(self) -> str:
        """Of its folder: another recipe has another."""
        text = json.dumps(asdict(self), sort_keys=True)
        width, height = self.size_wh
        return f"{self.scene}-{width}x{height}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    def seeds(self, part: int) -> range:
        """Of the clips in one file."""
        end = self.first_seed + self.clips
        first = self.first_seed + part * CLIPS_PER_FILE
        return range(first, min(first + CLIPS_PER_FILE, end))

    @property
    def parts(self) -> int:
        """Files in all."""
        return -(-self.clips // CLIPS_PER_FILE)

    def path(self, folder: Path, part: int) -> Path:
        """Of a file, in the folder that recipes have their folders in."""
        return folder / self.name / f"{part:04d}.npz"

    @property
    def span(self) -> int:
        """Frames of the footage from a clip's first to its last, both counted."""
        return (self.frames - 1) * self.apart + 1

    def spec(self, seed: int, pace: int) -> SceneSpec:
        """A scene at a pace, as `synthetic:` knows it."""
        seconds = self.span * pace / self.fps
        return SceneSpec(self.scene, seed=seed, seconds=seconds, fps=self.fps, size_wh=self.size_wh)
