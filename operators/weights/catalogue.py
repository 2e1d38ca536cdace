"""All official files, and what is asked of them: a model's, a head's, what one is by its content.

Their tables lie beside it, a file for each family. Must not touch the network or the disk.
"""

from __future__ import annotations

import re

from operators.backbones.architectures import architecture
from operators.errors import WeightsError
from operators.weights.backbone_files import backbone_files
from operators.weights.depth_anything_files import WHOLE_MODELS, depth_anything_files
from operators.weights.dinov2_files import dino_txt_files, dinov2_files
from operators.weights.official_file import OfficialFile

BY_HAND = "DINOv3's are asked for by hand, see weights list"
EOMT_FILES = "https://huggingface.co/tue-mps"

CATALOGUE = (*dinov2_files(), *depth_anything_files(), *dino_txt_files(), *backbone_files())


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
        head: of `dinov2_files` or `WHOLE_MODELS`;
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


def official_model(file_name: str, sha256: str) -> str | None:
    """The architecture of a backbone's file that is or is called like an official one; None for
    any other."""
    file = known_file(file_name, sha256)
    return file.model if file and file.purpose == "backbone" else None


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
