"""What decides the candidates of a recording: the backbone, and which frames become which pictures.

Plain values, so that it goes to other processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operators.backbones.architectures import architecture
from operators.jpeg import jpeg_identity
from operators.result import canonical_json
from operators.weights.digest import sha256_file
from operators.weights.load import backbone_name
from pipeline.configuration.source_plan import SourcePlan
from pipeline.media.frame_size import FrameSize
from pipeline.media.scaler import FILTER_NAME
from pipeline.stream.shots import METHOD, ShotRule

FPS, EVERY_S, SIDE = 2.0, 10.0, 448
QUALITY = 90  # of the JPEGs
FORMAT = 1  # rises with every change of what a recording gives


@dataclass(frozen=True, slots=True)
class Setup:
    """
    Attributes:
        model, weights, seed: as `open_backbone` takes them.
        threads: CPU threads; one per core where None. Changes nothing of what is found.
        backend: what computes on a CPU.
        short_side: of a frame at the backbone, pixels.
        fps: frames per second that are looked at.
        every_s: a shot gives a frame for every so many seconds.
        side: short side of a picture, pixels at most.
        blur: classes that no picture may show.
        heads: that the user chose, by operator.
    """

    model: str
    weights: str
    seed: int
    threads: int | None
    backend: str
    short_side: int
    fps: float = FPS
    every_s: float = EVERY_S
    side: int = SIDE
    blur: tuple[str, ...] = ()
    heads: Mapping[str, str] = field(default_factory=dict)

    @property
    def loaded(self) -> str:
        """The backbone as records name it."""
        return backbone_name(architecture(self.model), self.weights, seed=self.seed)

    @property
    def frame_size(self) -> FrameSize:
        """At the backbone, in whole patches."""
        patch = architecture(self.model).patch
        short, _ = FrameSize(self.short_side, patch).of((1, 1))
        return FrameSize(short, patch)

    @property
    def picture_size(self) -> FrameSize:
        """As decoded: a whole multiple of a frame's, so that what is hidden lies on its patches."""
        frame = self.frame_size
        times = max(1, self.side // frame.short_side)
        return FrameSize(times * frame.short_side, times * frame.patch)

    def key(self, plan: SourcePlan, facts: Mapping[str, Any]) -> str:
        """Names what a recording gives: another one where it may give something else.

        Args:
            plan: of the recording.
            facts: of this.
        """
        of_it = {"stream": plan.stream, "session": plan.session}
        return hashlib.sha256(canonical_json({**facts, **of_it})).hexdigest()[:40]

    def facts(self, computed: Mapping[str, str]) -> dict[str, Any]:
        """All that decides what recordings give, as JSON values.

        Args:
            computed: what computes, as of `Harvester.computed`.
        """
        head = self.heads.get("segmentation", "")
        path = Path(head).expanduser()
        return {
            "format": FORMAT,
            "model": self.loaded,
            "computed": dict(computed),
            "short_side": self.short_side,
            "fps": self.fps,
            "every_s": self.every_s,
            "side": self.side,
            "blur": sorted(self.blur),
            "head": sha256_file(path) if head and path.is_file() else head,
            "jpeg": [QUALITY, jpeg_identity(), FILTER_NAME],
            "shots": [METHOD, ShotRule().canonical()],
        }
