"""The official files: what exists, where, how large, with which hash and licence.

DINOv2's backbones and heads, dino.txt, Depth Anything, and the backbones of DINO v1, DeiT, DINOv3
and Swin. A table and look-ups. Must not touch the network or the disk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from operators.backbones.architectures import ARCHITECTURES, OWN_MODELS, architecture
from operators.errors import WeightsError
from operators.weights import dinov3_files

_HOST = "https://dl.fbaipublicfiles.com/dinov2"
_DEPTH_ANYTHING_HOST = "https://huggingface.co/depth-anything/Depth-Anything-V2"
_DEPTH_ANYTHING_3_HOST = "https://huggingface.co/depth-anything"
_DINO_HOST = "https://dl.fbaipublicfiles.com/dino"
_DEIT_HOST = "https://dl.fbaipublicfiles.com/deit"
_FREE, _NOT_COMMERCIAL = "Apache-2.0", "CC-BY-NC-4.0"
_LICENCE = _FREE  # code and weights alike (DINOv2's MODEL_CARD.md; LICENSE of DINO v1 and DeiT)

DEPTH_HEADS = (
    *("nyu-linear", "nyu-linear4", "nyu-dpt"),
    *("kitti-linear", "kitti-linear4", "kitti-dpt"),
)
SEGMENTATION_HEADS = ("ade20k-linear", "ade20k-ms", "voc2012-linear", "voc2012-ms")
CLASSIFY_HEADS = ("imagenet-linear", "imagenet-linear4")
# Models of their own, whose encoder lies in the same file -> what the file is fine-tuned to, as the
# setting `domain` of depth names it.
WHOLE_MODELS = {
    "depth-anything-v2": "relative",
    "depth-anything-v2-hypersim": "hypersim",
    "depth-anything-v2-vkitti": "vkitti",
    "da3mono-large": "da3mono",
    "da3metric-large": "da3metric",
}
DEPTH_ANYTHING = "depth-anything-v2"
DINO_TXT_MODEL = "dinov2_vitl14_reg"  # the backbone that dino.txt was trained on
_SWIN_HOST = "https://github.com/SwinTransformer/storage/releases/download/v1.0.0"
BY_HAND = "DINOv3's are asked for by hand, see weights list"
EOMT_FILES = "https://huggingface.co/tue-mps"

# Bytes and sha256, here and below, as several independent public repositories give them; upstream
# publishes neither.
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


# What files of DINO v1 are called (hubconf.py upstream); of DeiT's the first 8 hex of the sha256,
# which their names end in (models.py upstream).
_DINO = {
    "dino_vits16": "dino_deitsmall16_pretrain",
    "dino_vits8": "dino_deitsmall8_pretrain",
    "dino_vitb16": "dino_vitbase16_pretrain",
    "dino_vitb8": "dino_vitbase8_pretrain",
}
_DEIT = {
    "deit_tiny_patch16_224": "a1311bcf",
    "deit_tiny_distilled_patch16_224": "b40b3cf7",
    "deit_small_patch16_224": "cd65a155",
    "deit_small_distilled_patch16_224": "649709d9",
    "deit_base_patch16_224": "b5f2ef4d",
    "deit_base_distilled_patch16_224": "df68dfff",
    "deit_base_patch16_384": "8de9b5d1",
    "deit_base_distilled_patch16_384": "d0272ac0",
}


@dataclass(frozen=True, slots=True)
class OfficialFile:
    """One file that upstream publishes.

    Attributes:
        url: where it lies; the last part is its file name. With a form the name alone.
        purpose: `backbone`, the operator that it is a head for, or `words`: a part of dino.txt.
        model: the architecture that it is, or that it was trained on.
        head: the head's name, None for a backbone.
        size_bytes: its size, None where nobody we trust tells it.
        sha256: its hash in lower-case hex, None: pinned at first use.
        licence: SPDX identifier.
        kept_as: its name in the cache, where others have the same in their own folders.
        form: where a person accepts its licence and is told where it lies; it is never fetched.
    """

    url: str
    purpose: str
    model: str
    head: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    licence: str = _LICENCE
    kept_as: str | None = None
    form: str | None = None

    def __post_init__(self) -> None:
        if not self.file_name:
            raise ValueError(f"url must end in a file name, got {self.url!r}")

    @property
    def file_name(self) -> str:
        """The name it has in the cache."""
        return self.kept_as or self.url.rsplit("/", 1)[-1]


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


def _depth_anything() -> tuple[OfficialFile, ...]:
    facts = (
        (
            *("Small", "vits", 99_218_434, _FREE),
            "715fade13be8f229f8a70cc02066f656f2423a59effd0579197bbf57860e1378",
        ),
        (
            *("Base", "vitb", 389_961_218, _NOT_COMMERCIAL),
            "0d2b7002e62d39d655571c371333340bd88f67ab95050c03591555aa05645328",
        ),
        (
            *("Large", "vitl", 1_341_395_338, _NOT_COMMERCIAL),
            "a7ea19fa0ed99244e67b624c72b8580b7e9553043245905be58796a608eb9345",
        ),
    )
    return tuple(
        OfficialFile(
            f"{_DEPTH_ANYTHING_HOST}-{name}/resolve/main/depth_anything_v2_{encoder}.pth",
            *("depth", f"dinov2_{encoder}14", DEPTH_ANYTHING, size_bytes, sha256, licence),
        )
        for name, encoder, size_bytes, licence, sha256 in facts
    )


def _dino_txt() -> tuple[OfficialFile, ...]:
    """Parts that `fit words` makes a head of (upstream: hub/dinotxt.py)."""
    stem = f"{_HOST}/dinov2_vitl14/dinov2_vitl14_reg4_dinotxt_tet1280d20h24l"
    vocabulary = f"{_HOST}/thirdparty/bpe_simple_vocab_16e6.txt.gz"  # CLIP's own
    return (
        OfficialFile(f"{stem}_vision_head.pth", "words", DINO_TXT_MODEL, "vision-head"),
        OfficialFile(f"{stem}_text_encoder.pth", "words", DINO_TXT_MODEL, "text-encoder"),
        OfficialFile(vocabulary, "words", DINO_TXT_MODEL, "vocabulary", licence="MIT"),
    )


def _dinov3() -> tuple[OfficialFile, ...]:
    return tuple(
        OfficialFile(name, "backbone", model, licence=dinov3_files.LICENCE, form=dinov3_files.FORM)
        for model, name in dinov3_files.NAMES.items()
    )


def _swin() -> tuple[OfficialFile, ...]:
    """Of the large ones upstream has ImageNet's 1000 classes after its 22k alone."""
    models = [name for name, arch in ARCHITECTURES.items() if arch.pyramid]
    return tuple(
        OfficialFile(
            f"{_SWIN_HOST}/{name}{'_22kto1k' if 'large' in name else ''}.pth",
            *("backbone", name),
            licence="MIT",
        )
        for name in models
    )


def _elders() -> tuple[OfficialFile, ...]:
    """Of DINO v1 and DeiT."""
    urls = {model: f"{_DINO_HOST}/{stem}/{stem}.pth" for model, stem in _DINO.items()}
    urls |= {model: f"{_DEIT_HOST}/{model}-{start}.pth" for model, start in _DEIT.items()}
    return tuple(OfficialFile(url, "backbone", model) for model, url in urls.items())


def _depth_anything_metric() -> tuple[OfficialFile, ...]:
    # Addresses from metric_depth/README.md upstream. Its README licenses B and L as not commercial,
    # the files' own pages say Apache-2.0: the stricter is told.
    sizes = (
        ("Small", "vits", _FREE),
        *(("Base", "vitb", _NOT_COMMERCIAL), ("Large", "vitl", _NOT_COMMERCIAL)),
    )
    return tuple(
        OfficialFile(
            f"{_DEPTH_ANYTHING_HOST}-Metric-{data}-{name}/resolve/main/"
            f"depth_anything_v2_metric_{data.lower()}_{encoder}.pth",
            *("depth", f"dinov2_{encoder}14", f"{DEPTH_ANYTHING}-{data.lower()}"),
            licence=licence,
        )
        for data in ("Hypersim", "VKITTI")
        for name, encoder, licence in sizes
    )


def _depth_anything_3() -> tuple[OfficialFile, ...]:
    # Repositories from README.md upstream; its code reads their model.safetensors.
    return tuple(
        OfficialFile(
            f"{_DEPTH_ANYTHING_3_HOST}/{head.upper()}/resolve/main/model.safetensors",
            *("depth", "dinov2_vitl14", head),
            licence=_FREE,
            kept_as=f"{head}.safetensors",
        )
        for head in ("da3mono-large", "da3metric-large")
    )


def _catalogue() -> tuple[OfficialFile, ...]:
    dinov2 = [name for name in ARCHITECTURES if name.startswith("dinov2_")]
    official = [name for name in dinov2 if name not in OWN_MODELS]
    plain = [name for name in official if not name.endswith("_reg")]
    return (
        *(_backbone(model) for model in official),
        *(_head(model, "depth", head) for model in plain for head in DEPTH_HEADS),
        *_depth_anything(),
        *_depth_anything_metric(),
        *_depth_anything_3(),
        *(_head(model, "segmentation", head) for model in plain for head in SEGMENTATION_HEADS),
        *(_classifier(model, head) for model in official for head in CLASSIFY_HEADS),
        *_dino_txt(),
        *_swin(),
        *_elders(),
        *_dinov3(),
    )


CATALOGUE = _catalogue()


def official_backbone(model: str) -> OfficialFile:
    """The official weights of an architecture.

    Raises:
        WeightsError: upstream publishes none under that name, or gives them by a form alone.
    """
    for file in CATALOGUE:
        if file.purpose == "backbone" and file.model == model:
            if file.form is None:
                return file
            raise WeightsError(
                f"the weights of {model} are not fetched: their licence is to be accepted by a "
                f"person, at {file.form} or at Hugging Face. Give {file.file_name} or a "
                "model.safetensors with --weights PATH"
            )
    if architecture(model).own_blocks:
        raise WeightsError(
            f"the weights of {model} are not fetched: nobody publishes their hashes. Get an EoMT's "
            f"model.safetensors from {EOMT_FILES} and give it with --weights PATH and "
            "--head detect=PATH"
        )
    raise WeightsError(
        f"there are no official weights for {model}; give a file with --weights PATH, or try the "
        "program with the small ones that ship with it, --weights demo"
    )


def official_head(operator: str, model: str, head: str) -> OfficialFile:
    """The official head of an operator, trained on a model's features.

    Args:
        operator: `depth`, `segmentation` or `classify`; or `words`.
        model: the backbone's architecture; with registers upstream has `classify` heads alone.
        head: one of `DEPTH_HEADS`, `SEGMENTATION_HEADS`, `CLASSIFY_HEADS`, `WHOLE_MODELS`;
            `Architecture.own_classifier`, which lies in the backbone's own file; of `words` a part.

    Raises:
        WeightsError: upstream publishes no such head; the text lists those there are.
    """
    own = architecture(model).own_classifier if operator == "classify" else ""
    if own and head == own:
        return official_backbone(model)
    offered = [file for file in CATALOGUE if file.purpose == operator and file.head]
    for file in offered:
        if (file.model, file.head) == (model, head):
            return file
    heads = sorted({file.head for file in offered if file.head})
    models = sorted({file.model for file in offered})
    plain = model.removesuffix("_reg")
    hint = f" (upstream trained heads for {plain} only)" if plain != model else ""
    hint = f" (its own is {own})" if own else hint
    raise WeightsError(
        f"no official {operator} head {head!r} for {model}{hint}; "
        f"heads: {', '.join(heads) or 'none'}; models: {', '.join(models) or 'none'}"
    )


def official_model(file_name: str) -> str | None:
    """The architecture of a backbone's file that is called like an official one; None for any
    other."""
    for file in CATALOGUE:
        if file.purpose == "backbone" and file.file_name == file_name:
            return file.model
    return None


def known_file(file_name: str, sha256: str) -> OfficialFile | None:
    """The official file that a file is, or is called like; None for any other."""
    named = next((file for file in CATALOGUE if file.file_name == file_name), None)
    return published_as(sha256) or named


def published_as(sha256: str) -> OfficialFile | None:
    """The official file with that content, where hashes are told, be it by 8 hex in its name."""
    told = (file for file in CATALOGUE if file.sha256 == sha256 or _begins(file, sha256))
    return next(told, None)


def _begins(file: OfficialFile, sha256: str) -> bool:
    begins = re.search(r"-([0-9a-f]{8})\.pth$", file.file_name)
    return begins is not None and sha256.startswith(begins[1])


def licence_of(file_name: str, sha256: str) -> str | None:
    """The licence of a file that is or is called like an official one; None for any other."""
    file = known_file(file_name, sha256)
    return file.licence if file else None


def belongs_to(file: OfficialFile) -> str | None:
    """The sha256 of the backbone's file that a head reads, None where nobody tells it."""
    return file.sha256 if file.head in WHOLE_MODELS else official_backbone(file.model).sha256
