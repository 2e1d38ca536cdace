"""Pictures and clips that are asked with -> vectors such as the records have that are asked.

The backbone has to be the one that made those records, and pictures as large as theirs were. Of
the size a record holds nothing but its part in the variant; so it is told from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.errors import UsageError, WeightsError
from operators.variant import RecordKind
from operators.vector.embedding import Embedding, unit_length
from operators.weights.backbone_choice import AUTO, DEMO, RANDOM
from operators.weights.demo import read_demo
from operators.weights.load import backbone_name
from pipeline.engine.assembly import computation_of
from pipeline.engine.variants import sized
from pipeline.features.store import FeatureStore
from pipeline.media.still import read_upright
from pipeline.vectors.head import Head
from pipeline.vectors.row import TOPIC

CLIP_FPS = 5.0
_SIDES = range(14, 2049)  # pixels that a job's pictures are looked for among

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """What a backbone is loaded of: as `load_backbone` takes them."""

    model: str
    weights: str
    seed: int = 0


def require_readable(paths: Sequence[Path]) -> None:
    """See that files are pictures, before anything is loaded to look at them.

    Raises:
        SourceError: one is none; names the file.
    """
    for path in paths:
        read_upright(path)


def weights_of(head: Head, asked: str | None = None, *, seed: int = 0) -> Weights:
    """Those that made a table's vectors.

    Args:
        head: of the table.
        asked: `auto`, `demo`, `random` or a path; None: told from the vectors' model.
        seed: of random ones.

    Raises:
        WeightsError: they are others; the text names both.
    """
    model, _, _ = head.model.rpartition("-")
    if asked is None:
        asked = _likely(head)
    found = backbone_name(architecture(model), asked, seed=seed)
    if found != head.model:
        how = "give their --seed" if asked == RANDOM else "name their file with --weights"
        raise WeightsError(
            f"the vectors are of {head.model}, and --weights {asked} is {found}: a picture is "
            f"looked for with the weights that made them; {how}"
        )
    return Weights(model, asked, seed)


def short_side_of(
    head: Head, backbone: Backbone, asked: int | None = None, *, likely: int | None = None
) -> int:
    """Short side of the pictures that a table's vectors are of, pixels.

    Args:
        head: of the table.
        backbone: that made them.
        asked: what the user says; it stands where nothing can be told.
        likely: what stands where nothing can be told and the user says nothing.

    Raises:
        UsageError: it cannot be told, and the user says nothing; or says something else.
    """
    operator, computation = Embedding(), computation_of(backbone)
    operator.rendered_only = backbone.loaded.rendered_only
    kind = RecordKind.of(operator, TOPIC)
    told = [side for side in _SIDES if kind.variant(sized(computation, side)) in head.variants]
    if told and asked not in (None, *told):
        raise UsageError(
            f"--short-side {asked}: the vectors are of pictures of short side {told[0]}; leave it "
            "out"
        )
    side = told[0] if told else asked or likely
    if side is None:
        raise UsageError(
            f"of how large pictures the vectors of variant {head.variants[0]} are cannot be told: "
            "they were made on another kind of machine, of a gated stream, or of a region or half "
            "of its pictures; say it with --short-side, which is 224 where their job set nothing"
        )
    return side


class Sight:
    """Sees what is asked with. `close` it."""

    def __init__(self, backbone: Backbone, cache: Path, *, short_side: int) -> None:
        """
        Args:
            backbone: from `pipeline.features.backbone.open_backbone`.
            cache: where features are kept.
            short_side: of pictures, pixels.
        """
        self._store = FeatureStore(cache, backbone, short_side=short_side)

    def pictures(self, paths: Sequence[Path]) -> list[Vector]:
        """A vector of length one of each picture.

        Raises:
            SourceError: one is no picture; names the file.
        """
        return [unit_length(self._store.image(path).cls[0, -1]) for path in paths]

    def clip(self, path: Path) -> Vector:
        """The mean of the vectors of a clip's frames, `CLIP_FPS` a second; its length is not one.

        Raises:
            SourceError: nothing of it can be decoded; names the file.
        """
        tokens = self._store.frames(path, fps=CLIP_FPS).cls[:, -1]
        mean: Vector = np.mean([unit_length(one) for one in tokens], axis=0, dtype=np.float32)
        return mean

    def close(self) -> None:
        """End the decoders."""
        self._store.close()


def _likely(head: Head) -> str:
    if "untrained" in head.marks:
        return RANDOM
    ours = read_demo().sha256[:12]
    return DEMO if head.model.endswith(f"-{ours}") else AUTO
