"""`--weights` -> a backbone that is ready to run, with the identity of its weights.

`auto` (the official file), `demo` (ours), a path, or `random`; never one silently in place of
another. Must not know of devices or frames.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.loaded import LoadedBackbone, model_name
from operators.backbones.model import Model, empty_model, filled_model
from operators.backbones.random_weights import random_tensors
from operators.errors import WeightsError
from operators.weights import depth_anything, dinov3, eomt, plain_vit, swin
from operators.weights.backbone_choice import RANDOM, backbone_file, require_weights
from operators.weights.cache import default_cache_dir
from operators.weights.catalogue import licence_of, official_model
from operators.weights.checkpoint import check_layout, read_tensors, sha256_tensors
from operators.weights.demo import read_demo
from operators.weights.depth_anything_hf import to_authors
from operators.weights.digest import sha256_file
from operators.weights.download import Progress, fetch
from operators.weights.head_needs import RENDERED
from operators.weights.header import read_header
from operators.weights.huggingface import is_hugging_face, to_upstream
from operators.weights.inspection import recognised

log = logging.getLogger(__name__)


def load_backbone(
    arch: Architecture,
    weights: str,
    *,
    seed: int = 0,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> LoadedBackbone:
    """Build an architecture and fill it with weights.

    Args:
        arch: the sizes, from `architecture(name)`.
        weights: `auto` (official, fetched once), `demo` (ours), `random`, or a path: a PyTorch
            file in upstream's layout or a safetensors file in upstream's or Hugging Face's.
        seed: of the random weights.
        cache_dir: where `auto` keeps files; `default_cache_dir()` if None.
        progress: told how far the fetching is.

    Raises:
        WeightsError: no such file, not that architecture, damaged, refused, or not to be had.
    """
    file = _file(arch, weights, cache_dir, progress)
    if file is None:
        return _random(arch, seed) if weights == RANDOM else _demo(arch)
    return _from_file(arch, *file)


def backbone_name(
    arch: Architecture, weights: str, *, seed: int = 0, cache_dir: Path | None = None
) -> str:
    """As records name what `load_backbone` gives for the same arguments, without loading it.

    Raises:
        WeightsError: no such file, or not to be had.
    """
    file = _file(arch, weights, cache_dir, None)
    if file is not None:
        sha256 = file[1]
    elif weights == RANDOM:
        sha256 = sha256_tensors(random_tensors(arch, seed))
    else:
        sha256 = read_demo().sha256
    return model_name(arch.name, sha256)


def _file(
    arch: Architecture, weights: str, cache_dir: Path | None, progress: Progress | None
) -> tuple[Path, str] | None:
    """The file of the weights, fetched where it is official, and its sha256; None for random ones
    and for those that ship with the program."""
    file = backbone_file(arch.name, weights)
    if file is None:
        return None
    if isinstance(file, Path):
        require_weights(file)
        return file, sha256_file(file)
    cached = fetch(file, cache_dir or default_cache_dir(), progress=progress)
    return cached.path, cached.sha256


def _random(arch: Architecture, seed: int) -> LoadedBackbone:
    log.warning(
        "%s runs with RANDOM weights (seed %d): it shows that everything works, but its results "
        "mean nothing",
        arch.name,
        seed,
    )
    tensors = random_tensors(arch, seed)
    model = filled_model(arch, tensors)
    return LoadedBackbone(model, sha256_tensors(tensors), True, f"random (seed {seed})")


def _demo(arch: Architecture) -> LoadedBackbone:
    demo = read_demo()
    model = filled_model(arch, dict(demo.backbone))
    return LoadedBackbone(model, demo.sha256, False, "demo weights", rendered_only=True)


def _from_file(arch: Architecture, path: Path, sha256: str) -> LoadedBackbone:
    licence = licence_of(path.name, sha256) or ""
    if "-NC-" in licence:
        log.warning("%s: its licence is %s: not for commercial use", path, licence)
    official = official_model(path.name, sha256)
    if official and official != arch.name:
        raise WeightsError(
            f"{path}: is by its name or sha256 {official}, not {arch.name}; give --model {official}"
        )
    tensors = to_authors(read_tensors(path))
    if eomt.is_whole(tensors):
        tensors = _trunk(arch, path, tensors)
    elif swin.is_whole(tensors):
        log.info("%s: a Swin; its authors' files are under the licence %s", path, swin.LICENCE)
        tensors = swin.backbone(tensors)
    elif dinov3.is_one(tensors) or arch.rotary:
        tensors = dinov3.backbone(path, sha256, arch, tensors)
    elif is_hugging_face(tensors):
        tensors = to_upstream(tensors)
    elif depth_anything.is_multi_view(tensors):
        raise WeightsError(f"{path}: {depth_anything.MULTI_VIEW}")
    elif depth_anything.family(tensors):
        tensors = depth_anything.encoder(tensors)
    model = _filled(arch, path, tensors)
    log.info("%s: weights %s, sha256 %s", arch.name, path, sha256)
    rendered_only = (read_header(path) or {}).get(RENDERED) is True
    return LoadedBackbone(model, sha256, False, str(path), rendered_only)


def _filled(arch: Architecture, path: Path, tensors: Mapping[str, Tensor]) -> Model:
    """
    Raises:
        WeightsError: they do not fit; the text says which model they are, where one has them.
    """
    own = tensors if arch.layer_scale else plain_vit.backbone(tensors, arch)
    try:
        check_layout(path, own, empty_model(arch).state_dict())
    except WeightsError as error:
        found = recognised(tensors)
        if not found:
            raise
        which = " or ".join(found)
        raise WeightsError(f"{error}; it is {which}: give --model {found[0]}") from None
    return filled_model(arch, {name: tensor.float() for name, tensor in own.items()})


def _trunk(arch: Architecture, path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """
    Raises:
        WeightsError: its training did not end.
    """
    if eomt.still_masked(tensors):
        raise WeightsError(
            f"{path}: an EoMT that still masks its attention (attn_mask_probs above 0): its "
            "training was cut short, or never annealed them; take its last checkpoint"
        )
    log.info("%s: an EoMT; its authors' files are under the licence %s", path, eomt.LICENCE)
    return eomt.trunk(tensors, arch.depth)
