"""DINOv2's files and those of dino.txt, code and weights alike under Apache-2.0 (MODEL_CARD.md
upstream)."""

from __future__ import annotations

from operators.backbones.architectures import ARCHITECTURES, OWN_MODELS
from operators.weights.official_file import OfficialFile

_HOST = "https://dl.fbaipublicfiles.com/dinov2"

DEPTH_HEADS = (
    *("nyu-linear", "nyu-linear4", "nyu-dpt"),
    *("kitti-linear", "kitti-linear4", "kitti-dpt"),
)
SEGMENTATION_HEADS = ("ade20k-linear", "ade20k-ms", "voc2012-linear", "voc2012-ms")
CLASSIFY_HEADS = ("imagenet-linear", "imagenet-linear4")
DINO_TXT_MODEL = "dinov2_vitl14_reg"  # the backbone that dino.txt was trained on

# Bytes and sha256 as several independent public repositories give them; upstream has neither.
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


def dinov2_files() -> tuple[OfficialFile, ...]:
    """Backbones, and heads of plain ones; with registers there are classifiers alone."""
    official = [
        name for name in ARCHITECTURES if name.startswith("dinov2_") and name not in OWN_MODELS
    ]
    plain = [name for name in official if not name.endswith("_reg")]
    return (
        *(_backbone(model) for model in official),
        *(_head(model, "depth", head) for model in plain for head in DEPTH_HEADS),
        *(_head(model, "segmentation", head) for model in plain for head in SEGMENTATION_HEADS),
        *(_classifier(model, head) for model in official for head in CLASSIFY_HEADS),
    )


def dino_txt_files() -> tuple[OfficialFile, ...]:
    """Parts that `fit words` makes a head of (upstream: hub/dinotxt.py)."""
    stem = f"{_HOST}/dinov2_vitl14/dinov2_vitl14_reg4_dinotxt_tet1280d20h24l"
    vocabulary = f"{_HOST}/thirdparty/bpe_simple_vocab_16e6.txt.gz"  # CLIP's own
    return (
        OfficialFile(f"{stem}_vision_head.pth", "words", DINO_TXT_MODEL, "vision-head"),
        OfficialFile(f"{stem}_text_encoder.pth", "words", DINO_TXT_MODEL, "text-encoder"),
        OfficialFile(vocabulary, "words", DINO_TXT_MODEL, "vocabulary", licence="MIT"),
    )


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


def _classifier(model: str, head: str) -> OfficialFile:
    plain = model.removesuffix("_reg")
    full = f"{plain}_reg4" if plain != model else plain
    stem = f"{full}_{head.removeprefix('imagenet-')}_head"
    return OfficialFile(f"{_HOST}/{plain}/{stem}.pth", "classify", model, head)
