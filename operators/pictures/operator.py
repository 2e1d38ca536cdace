"""What a stream shows: a small JPEG of every frame, for whoever looks at its records.

Pixels in -> a JPEG out, of the picture that the backbone was given. Classes that nobody shall
recognise are hidden before it is encoded, where the segmentation of the same job finds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from operators.batch_operator import BatchOperator
from operators.errors import Absent, UsageError
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.jpeg import BEST, jpeg
from operators.operator import Operator
from operators.pictures.hiding import hide
from operators.result import JPEG, Result
from operators.segmentation.labelsets import LabelSet
from operators.segmentation.operator import Segmentation
from operators.settings import Settings
from operators.weights.head_request import HeadRequest

if TYPE_CHECKING:
    from operators.batch_operator import Numbers

QUALITY = 75
SHORT_SIDE = 180
LEAST_SIDE, MOST_SIDE = 16, 2160  # pixels


class Frames(BatchOperator):
    """A picture of every frame that it takes."""

    name = "frames"
    sees_pixels = True
    topics = BUILT_IN["frames"]

    def __init__(
        self,
        patch: int,
        *,
        quality: int = QUALITY,
        short_side: int = SHORT_SIDE,
        blur: Sequence[str] = (),
        segmentation: Segmentation | None = None,
    ) -> None:
        """
        Args:
            patch: side of the backbone's patches, pixels.
            quality: of the JPEGs, 1 to `BEST`.
            short_side: of a picture, pixels at most.
            blur: classes that no picture may show.
            segmentation: finds them. Where there are such classes and nothing finds them, there
                are no pictures.

        Raises:
            UsageError: the segmentation does not know such a class.
        """
        self.blur = tuple(sorted(set(blur)))
        self._patch = patch
        self._quality = quality
        self._short_side = short_side
        self._segmentation = segmentation if self.blur else None
        if self._segmentation:  # the value depends on it as on a head of one's own
            known = self._segmentation.labels
            self._hidden = [one for name in self.blur for one in class_ids(known, name)]
            self.layers = self._segmentation.layers
            self.untrained = self._segmentation.untrained
            self.rendered_only = self._segmentation.rendered_only
            self.head_sha256 = self._segmentation.head_sha256

    def beside(self, operators: Mapping[str, Operator]) -> Frames:
        """The same pictures, with classes hidden by the segmentation of a job.

        Raises:
            Absent: there are classes to hide, and no segmentation.
            UsageError: it does not know them.
        """
        found = operators.get(Segmentation.name)
        segmentation = found if isinstance(found, Segmentation) else None
        if self.blur and not segmentation:
            need = f"operators.frames.blur: what finds {', '.join(self.blur)} is"
            raise Absent(need, Segmentation.name, leave="blur")
        return Frames(
            self._patch,
            quality=self._quality,
            short_side=self._short_side,
            blur=self.blur,
            segmentation=segmentation,
        )

    def settings(self) -> Mapping[str, Any]:
        own = {
            "quality": self._quality,
            "short_side": self._short_side,
            "blur": list(self.blur),
        }
        if not self._segmentation:
            return own
        said = self._segmentation.settings()
        found_by = {name: said[name] for name in ("labelset", "map_scale", "scales")}
        return own | {"segmentation": found_by | {"version": self._segmentation.version}}

    def compute(self, features: Features, rows: slice) -> Numbers:
        if features.pixels is None:
            raise ValueError("these features hold no pixels; build them with Backbone")
        pixels = features.pixels[rows]
        if not self.blur:
            return (pixels,)
        if not self._segmentation:
            raise ValueError(f"nothing finds {', '.join(self.blur)}, so there is no picture")
        return (pixels, *self._segmentation.shared(features, rows))

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        pixels, *seen = numbers
        size_hw = picture_hw(info.source_hw, pixels.shape[:2], self._short_side)
        if not self.blur:
            return [Result(info, self.name, JPEG, jpeg(pixels, size_hw, self._quality))]
        ids, finite = seen
        require_finite(finite, info, operator=self.name)
        bare = hide(pixels, np.isin(ids, self._hidden), self._patch)
        said = {"blurred": ",".join(self.blur)}
        return [Result(info, self.name, JPEG, jpeg(bare, size_hw, self._quality), said)]


def build_frames(settings: Mapping[str, Any], request: HeadRequest) -> Frames:
    """Pictures as a user configured them; `Frames.beside` makes them ready for a job.

    Args:
        settings: `quality`, `short_side`, `blur`.
        request: the backbone, whose patches what is hidden is made of.

    Raises:
        UsageError: a setting does not do.
    """
    given = Settings("frames", settings, ("quality", "short_side", "blur"))
    return Frames(
        request.architecture.patch,
        quality=given.whole("quality", QUALITY, low=1, high=BEST),
        short_side=given.whole("short_side", SHORT_SIDE, low=LEAST_SIDE, high=MOST_SIDE),
        blur=given.names("blur"),
    )


def class_ids(labels: LabelSet, name: str) -> tuple[int, ...]:
    """Of every class that is called so."""
    if "," in name:
        raise UsageError(
            f"operators.frames.blur: {name!r} has a comma, which is between names in records"
        )
    return labels.ids(name, "operators.frames.blur")


def picture_hw(
    source_hw: tuple[int, int], seen_hw: Sequence[int], short_side: int
) -> tuple[int, int]:
    """Rows and columns of a picture: in its source's proportions, no larger than the source, and
    nowhere larger than what the backbone was given."""
    seen = (given / whole for given, whole in zip(seen_hw, source_hw, strict=True))
    scale = min(1.0, short_side / min(source_hw), *seen)
    height, width = (max(1, round(side * scale)) for side in source_hw)
    return height, width
