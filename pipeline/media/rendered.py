"""A synthetic scene as a reel: rendered when asked, no codec in between."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import av

from pipeline.media.orientation import UPRIGHT
from pipeline.media.picture import Loss, Mark, Picture
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import parse_scene_uri


class SceneReel:
    """Implements `pipeline.media.picture.Reel`; every frame is a key frame."""

    creation_time_us: int | None = None
    rendered = True
    seeks_by_place = True

    def __init__(self, uri: str) -> None:
        """Draws the scene's textures. Raises UsageError where there is no such scene."""
        self._scene = open_scene(parse_scene_uri(uri))
        self._index = 0

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick: one frame."""
        return Fraction(1, self._scene.spec.fps)

    @property
    def duration_s(self) -> float | None:
        """How long the clip is."""
        return self._scene.frame_count / self._scene.spec.fps

    def pictures(self) -> Iterator[Picture | Loss | None]:
        """From where the reel stands; see `Reel.pictures`. Rendered are those that are drawn."""
        width, height = self._scene.spec.size_wh
        while self._index < self._scene.frame_count:
            pts, self._index = self._index, self._index + 1
            yield Picture(
                partial(self._drawn, pts),
                pts,
                1,
                keyframe=True,
                orientation=UPRIGHT,
                stored_hw=(height, width),
            )

    def mark(self) -> Mark:
        """Frames given so far."""
        return [self._index]

    def seek(self, pts: int, mark: Mark) -> bool:
        """Go to exactly that frame."""
        self._index = pts
        return True

    def close(self) -> None:
        """Nothing to let go of."""

    def _drawn(self, index: int) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(self._scene.render(index).rgb, format="rgb24")
