"""The official DINOv2 files: what exists, where, how large, with which hash and licence.

A table and two look-ups. Must not touch the network or the disk.
"""

from __future__ import annotations

from dataclasses import dataclass

from operators.architectures import ARCHITECTURES
from operators.errors import WeightsError

_HOST = "https://dl.fbaipublicfiles.com/dinov2"
_LICENCE = "Apache-2.0"  # code and weights alike (MODEL_CARD.md upstream)

DEPTH_HEADS = ("nyu-linear", "nyu-linear4", "kitti-linear", "kitti-linear4")
SEGMENTATION_HEADS = ("ade20k-linear", "voc2012-linear")

# bytes and sha256 as several independent public repositories give them; upstream publishes neither.
_KNOWN = {
    "dinov2_vits14_pretrain.pth": (
        88_283_115,
        "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
    ),
    "dinov2_vitb14_pretrain.pth": (
        346_378_731,
        "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
    ),
    "dinov2_vitl14_pretrain.pth": (
        1_217_586_395,
        "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    ),
}


@dataclass(frozen=True, slots=True)
class OfficialFile:
    """One file that upstream publishes.

    Attributes:
        url: where it lies; the last part is its file name.
        purpose: `backbone`, or the operator that it is a head for.
        model: the architecture that it is, or that it was trained on.
        head: the head's name, None for a backbone.
        size_bytes: its size, None where nobody we trust tells it.
        sha256: its hash in lower-case hex, None: pinned at first use.
        licence: SPDX identifier.
    """

    url: str
    purpose: str
    model: str
    head: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    licence: str = _LICENCE

    def __post_init__(self) -> None:
        if not self.file_name:
            raise ValueError(f"url must end in a file name, got {self.url!r}")

    @property
    def file_name(self) -> str:
        """The name it has in the cache."""
        return self.url.rsplit("/", 1)[-1]


def _backbone(model: str) -> OfficialFile:
    plain = model.removesuffix("_reg")
    file_name = f"{plain}_reg4_pretrain.pth" if plain != model else f"{plain}_pretrain.pth"
    size_bytes, sha256 = _KNOWN.get(file_name, (None, None))
    return OfficialFile(
        f"{_HOST}/{plain}/{file_name}", "backbone", model, size_bytes=size_bytes, sha256=sha256
    )


def _head(model: str, purpose: str, head: str) -> OfficialFile:
    # Names from upstream's hub code; its README links ImageNet heads as some of the NYU ones.
    stem = f"{model}_{head.replace('-', '_')}_head"
    return OfficialFile(f"{_HOST}/{model}/{stem}.pth", purpose, model, head)


def _catalogue() -> tuple[OfficialFile, ...]:
    official = [name for name in ARCHITECTURES if name != "dinov2_vitti14"]
    plain = [name for name in official if not name.endswith("_reg")]
    return (
        *(_backbone(model) for model in official),
        *(_head(model, "depth", head) for model in plain for head in DEPTH_HEADS),
        *(_head(model, "segmentation", head) for model in plain for head in SEGMENTATION_HEADS),
    )


CATALOGUE = _catalogue()


def official_backbone(model: str) -> OfficialFile:
    """The official weights of an architecture.

    Raises:
        WeightsError: upstream publishes none under that name.
    """
    for file in CATALOGUE:
        if file.purpose == "backbone" and file.model == model:
            return file
    raise WeightsError(
        f"there are no official weights for {model}; give a file with --weights PATH, or try the "
        "program without trained weights with --weights random"
    )


def official_head(operator: str, model: str, head: str) -> OfficialFile:
    """The official head of an operator, trained on a model's features.

    Args:
        operator: `depth` or `segmentation`.
        model: the backbone's architecture; upstream has these heads for the plain models only.
        head: one of `DEPTH_HEADS` or `SEGMENTATION_HEADS`.

    Raises:
        WeightsError: upstream publishes no such head; the text lists those there are.
    """
    offered = [file for file in CATALOGUE if file.purpose == operator and file.head]
    for file in offered:
        if (file.model, file.head) == (model, head):
            return file
    heads = sorted({file.head for file in offered if file.head})
    models = sorted({file.model for file in offered})
    plain = model.removesuffix("_reg")
    hint = f" (upstream trained heads for {plain} only)" if plain != model else ""
    raise WeightsError(
        f"no official {operator} head {head!r} for {model}{hint}; "
        f"heads: {', '.join(heads) or 'none'}; models: {', '.join(models) or 'none'}"
    )
