"""A recording, or a picture file -> the pictures that it gives.

Frames become JPEG files beside each other; picture files are read where they lie, and left there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from operators.jpeg import jpeg
from operators.pictures.operator import picture_hw
from pipeline.configuration.source_plan import SourcePlan
from pipeline.errors import SourceError
from pipeline.features.footage import Footage
from pipeline.features.takes import Take
from pipeline.features.taking import Taking, Tell, shot_spec
from pipeline.media.still import read_bounded
from pipeline.pretrain.copies import tiny_of
from pipeline.pretrain.corpus import LONGEST_PX
from pipeline.pretrain.found import Found
from pipeline.pretrain.picture import Picture
from pipeline.pretrain.rules import QUALITY, Rules
from pipeline.secrets import mask_url
from pipeline.stream.spec import StreamSpec


class RecordingFinder:
    """Plays recordings, one after the other. `close` it."""

    def __init__(self, folder: Path, rules: Rules) -> None:
        """
        Args:
            folder: that pictures are written to.
            rules: which.
        """
        self._folder, self._rules, self._footage = folder, rules, Footage()

    def prepare(self, plan: SourcePlan) -> None:
        """Begin to decode what comes next."""
        self._footage.prepare(self._spec(plan))

    def __call__(self, plan: SourcePlan, tell: Tell) -> Found:
        """Its pictures; one that cannot be read has none, and says why.

        Args:
            plan: of the recording.
            tell: hears how far it is.

        Raises:
            OSError: a picture cannot be written.
        """
        taking = Taking(self._footage, self._spec(plan), self._rules.every_s)
        pictures, tinies = [], []
        for take in taking.takes(tell):
            pictures.append(self._written(take))
            tinies.append(tiny_of(take.pixels))
        end = taking.end
        trouble = "" if end.outcome == "ok" else f"{end.outcome}, {end.detail}"
        source = mask_url(plan.url)
        return Found(plan.stream, source, tuple(pictures), tuple(tinies), trouble, taking.counted)

    def close(self) -> None:
        """End the decoders."""
        self._footage.close()

    def _spec(self, plan: SourcePlan) -> StreamSpec:
        return shot_spec(plan, self._rules.picture_size, self._rules.fps)

    def _written(self, take: Take) -> Picture:
        info = take.info
        size_hw = picture_hw(info.source_hw, take.pixels.shape[:2], self._rules.side)
        data = jpeg(take.pixels, size_hw, QUALITY)
        name = f"{info.stream}-{info.session}-{info.position}.jpg"
        (self._folder / name).write_bytes(data)
        return Picture(
            name,
            len(data),
            hashlib.sha256(data).hexdigest(),
            info.stream,
            info.session,
            info.position,
            info.event_time_us,
        )


def found_in_file(path: Path) -> Found:
    """A picture file; its stream is the folder that it lies in.

    Args:
        path: absolute.
    """
    try:
        data = path.read_bytes()
        pixels = read_bounded(data, str(path), LONGEST_PX)
    except (OSError, SourceError) as error:
        return Found(str(path), str(path), trouble=f"unreadable, {error}")
    digest = hashlib.sha256(data).hexdigest()
    picture = Picture(str(path), len(data), digest, str(path.parent))
    return Found(str(path), str(path), (picture,), (tiny_of(pixels),))
