"""Models of others that a user may bring: what they are for, who published them, which licence.

A table. Nothing of it is fetched; must not touch the network or the disk.
"""

from __future__ import annotations

from dataclasses import dataclass

_HUB = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model.

    Attributes:
        title: for people.
        extra: of our own package, which brings the library.
        model_type: what `config.json` of its folder says that it is.
        library_class: that transformers computes it by.
        option: of the command line, which takes its folder.
        purpose: the command that it serves.
        homes: where its publishers keep transformers' layout of it.
        licence: SPDX identifier of the published files.
    """

    title: str
    extra: str
    model_type: str
    library_class: str
    option: str
    purpose: str
    homes: tuple[str, ...]
    licence: str = "Apache-2.0"


SAM = Family(
    title="SAM",
    extra="sam",
    model_type="sam",
    library_class="SamModel",
    option="--weights-sam",
    purpose="segment",
    homes=tuple(f"{_HUB}/facebook/sam-vit-{size}" for size in ("base", "large", "huge")),
)
GROUNDING_DINO = Family(
    title="Grounding DINO",
    extra="grounding",
    model_type="grounding-dino",
    library_class="GroundingDinoForObjectDetection",
    option="--weights-grounding",
    purpose="ground",
    homes=tuple(f"{_HUB}/IDEA-Research/grounding-dino-{size}" for size in ("tiny", "base")),
)
FAMILIES = (SAM, GROUNDING_DINO)
