"""Words -> a head for `classify` and `segmentation`: dino.txt's vision head, and what its text
tower says of every label. Nothing is trained; the tower is read once, here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from operators.backbones.architectures import Architecture, architecture
from operators.errors import UsageError, WeightsError
from operators.segmentation.palette import colour
from operators.weights.cache import default_cache_dir
from operators.weights.catalogue import official_head
from operators.weights.checkpoint import read_tensors
from operators.weights.digest import sha256_file
from operators.weights.dinotxt import LOGIT_SCALE, OPERATOR, TEXTS, VISION_HEAD, is_vision_head
from operators.weights.dinov2_files import DINO_TXT_MODEL
from operators.weights.download import fetch
from operators.weights.heads import Head
from operators.weights.load import load_backbone
from operators.words.merges import read_merges
from operators.words.prompts import check_labels, check_templates, text_vectors
from operators.words.text_tower import TextTower, load_text_tower
from operators.words.tokeniser import Tokeniser
from operators.words.vision_head import block_count, vision_head_layout
from pipeline.fit.dense_plan import Fit, Tell


@dataclass(frozen=True, slots=True)
class WordsPlan:
    """What is asked for.

    Attributes:
        labels: what to look for, in the order of their ids.
        templates: sentences, each with `{}` where a label goes.
        logit_scale: what cosines are multiplied with.
        model: architecture of the backbone, with registers.
        weights: of the backbone, as `--weights` takes them.
        vision_head, text_encoder, vocabulary: upstream's files; None: the official one, fetched.
    """

    labels: tuple[str, ...]
    templates: tuple[str, ...]
    logit_scale: float
    model: str
    weights: str
    vision_head: Path | None = None
    text_encoder: Path | None = None
    vocabulary: Path | None = None


def fit_words(plan: WordsPlan, *, tell: Tell) -> Fit:
    """The head of some words.

    Args:
        plan: what is asked for.
        tell: hears what is done, and how much of it.

    Raises:
        UsageError: labels or templates that will not do, or a backbone without registers.
        WeightsError: a file that cannot be had or read, or files that do not belong together.
    """
    check_labels(plan.labels)
    check_templates(plan.templates)
    arch = architecture(plan.model)
    _check_registers(arch)
    sight, tower_file, vocabulary = _files(plan)
    vision = _vision_head(sight, arch)
    backbone_sha256 = load_backbone(arch, plan.weights).sha256  # loaded: it must fit the model
    tower = load_text_tower(tower_file)
    _check_told(tower, tower_file, arch)
    tokeniser = Tokeniser(read_merges(vocabulary, tower.shape.vocabulary))
    texts = text_vectors(
        *(plan.labels, plan.templates, tokeniser, tower),
        tell=lambda done, total: tell("sentences", done, total),
    )
    if not texts.isfinite().all():
        raise WeightsError(
            f"{tower_file}: its vectors of labels are NaN or infinite; it is damaged, get it again"
        )
    files = {"vision_head": sight, "text_encoder": tower_file, "vocabulary": vocabulary}
    facts = {
        "labelset": _name(plan.labels),
        "labels": [
            {"id": id_, "name": label, "rgb": list(colour(id_))}
            for id_, label in enumerate(plan.labels)
        ],
        LOGIT_SCALE: plan.logit_scale,
        "templates": list(plan.templates),
        "backbone": backbone_sha256,
        "model": arch.name,
        "normalisation": "imagenet",
        "files": {name: sha256_file(path) for name, path in files.items()},
        "trained": {"what": f"dino.txt, {len(plan.templates)} sentences of each label"},
        "metrics": {},
    }
    return Fit(OPERATOR, {**vision, TEXTS: texts}, facts, _notes(plan.labels))


def _check_registers(arch: Architecture) -> None:
    if arch.rotary:
        raise UsageError(
            f"{arch.name} is a DINOv3, whose dino.txt is another model and is not read; give "
            f"--model {DINO_TXT_MODEL}"
        )
    if not arch.registers or arch.own_blocks:
        raise UsageError(
            f"dino.txt reads the register tokens of {DINO_TXT_MODEL}, which {arch.name} has none "
            f"of; give --model {DINO_TXT_MODEL}"
        )


def _files(plan: WordsPlan) -> list[Path]:
    named = {
        "vision-head": plan.vision_head,
        "text-encoder": plan.text_encoder,
        "vocabulary": plan.vocabulary,
    }
    missing = [f"--{part} {path}" for part, path in named.items() if path and not path.is_file()]
    if missing:
        raise WeightsError(f"no such file: {', '.join(missing)}")
    return [path or _official(plan.model, part) for part, path in named.items()]


def _official(model: str, part: str) -> Path:
    return fetch(official_head(OPERATOR, model, part), default_cache_dir()).path


def _vision_head(path: Path, arch: Architecture) -> dict[str, Tensor]:
    """As it lies in a head file.

    Raises:
        WeightsError: it is none, or one of another width.
    """
    tensors = read_tensors(path)
    if not is_vision_head(tensors):
        raise WeightsError(
            f"{path}: is no vision head of dino.txt; --vision-head takes the published "
            "..._vision_head.pth, with block_list.0.attn.qkv.weight and ln_final.weight in it"
        )
    width = tensors["ln_final.weight"].numel()
    if width != arch.width:
        raise WeightsError(
            f"{path}: reads tokens of {width} numbers, those of {arch.name} have {arch.width}; "
            "give the backbone that it was trained on with --model"
        )
    part = Head(OPERATOR, str(path), tensors, sha256_file(path))
    part.check(vision_head_layout(arch, block_count(tensors)))
    return {f"{VISION_HEAD}{name}": tensor for name, tensor in tensors.items()}


def _check_told(tower: TextTower, path: Path, arch: Architecture) -> None:
    told, want = tower.shape.told, 2 * arch.width
    if told != want:
        raise WeightsError(
            f"{path}: gives texts {told} numbers, a class token and a mean patch of {arch.name} "
            f"have {want}; give the text encoder that belongs to the vision head"
        )


def _name(labels: Sequence[str]) -> str:
    """Equal names are equal lists."""
    digest = hashlib.sha256("\n".join(labels).encode())
    return f"words-{digest.hexdigest()[:8]}"


def _notes(labels: Sequence[str]) -> tuple[str, ...]:
    if len(labels) > 256:
        return (f"{len(labels)} labels are too many for segmentation, which has 256; classify has",)
    return ()
