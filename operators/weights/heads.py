"""A head's weights and what is known about them: official by name, a file, or random.

`--head OPERATOR=NAME|PATH|random` in -> `Head` out, held to the backbone it was trained on.
Must not know what an operator computes with it. docs/heads.md describes our own file layout.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from operators.errors import UsageError, WeightsError
from operators.weights import depth_anything, dinotxt, eomt, plain_vit, swin
from operators.weights.backbone_choice import DEMO
from operators.weights.cache import default_cache_dir
from operators.weights.catalogue import belongs_to, known_file
from operators.weights.checkpoint import check_layout, read_tensors, sha256_tensors
from operators.weights.demo import read_demo
from operators.weights.depth_anything_files import WHOLE_MODELS
from operators.weights.depth_anything_hf import to_authors
from operators.weights.digest import sha256_file
from operators.weights.download import fetch
from operators.weights.head_request import HeadRequest, official_files
from operators.weights.header import read_header
from operators.weights.official_file import OfficialFile

log = logging.getLogger(__name__)

HEADER_FORMAT = 1

_GAINS = ("bn.weight", "norm.weight", "norm1.weight", "norm2.weight", "gamma", "running_var")

Layout = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Head:
    """Weights of a head.

    Attributes:
        operator: whose head it is.
        source: path or `random (seed N)`, for texts.
        tensors: by the names that the file has.
        sha256: of the file; of tensors and facts where it has no file of its own.
        facts: what its header or its official name says: domain, labels, pooling, ...
        untrained: the weights are random.
    """

    operator: str
    source: str
    tensors: Mapping[str, Tensor]
    sha256: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    untrained: bool = False

    def check(self, layout: Layout) -> None:
        """Hold the tensors to the names and shapes that an operator computes with.

        Raises:
            WeightsError: names the file and the keys.
        """
        want = {name: torch.empty(shape, device="meta") for name, shape in layout.items()}
        check_layout(Path(self.source), self.tensors, want)

    def wrong(self, what: str) -> WeightsError:
        """An error about this head."""
        return WeightsError(f"{self.source}: {self.operator} head: {what}")


def random_head(request: HeadRequest, layout: Layout, facts: Mapping[str, Any]) -> Head:
    """A head of seeded random numbers, for trying everything out.

    Matrices are normal over the root of their fan-in, gains and variances one, offsets zero.
    Drawn from numpy's PCG64 in name order, the same on every machine.
    """
    seed = request.random_seed or 0
    draw = np.random.Generator(np.random.PCG64([seed, *request.operator.encode()]))
    tensors = {}
    for name, shape in sorted(layout.items()):
        if len(shape) < 2:
            ones = name.endswith(_GAINS)
            tensors[name] = torch.full(shape, float(ones))
        else:
            normal = draw.standard_normal(shape, dtype=np.float32)
            fan_in = np.float32(np.prod(shape[1:]))
            tensors[name] = torch.from_numpy(normal / np.sqrt(fan_in))
    sha256 = sha256_tensors(tensors)
    return Head(request.operator, f"random (seed {seed})", tensors, sha256, facts, True)


def trained_head(request: HeadRequest) -> Head:
    """The head that was chosen by name or path.

    Raises:
        WeightsError: no such head, damaged, of another operator, or trained on another backbone.
    """
    if request.choice == DEMO:
        return _demo_head(request)
    file = request.file()
    if isinstance(file, Path):
        return _from_file(request, file)
    # Of a file with its own backbone the hash decides, once it is fetched at the latest.
    whole, trained_on = file.head is None or file.head in WHOLE_MODELS, belongs_to(file)
    if trained_on or not whole or request.random_seed is not None:
        _check_backbone(request, file.url, trained_on)
    cached = fetch(file, request.cache_dir or default_cache_dir())
    if whole:
        return _from_file(request, cached.path)
    return _official_head(request, cached.path, cached.sha256, file)


def _demo_head(request: HeadRequest) -> Head:
    demo = read_demo()
    _check_backbone(request, f"--head {request.operator}=demo", demo.sha256)
    if request.operator not in demo.heads:
        offered = ", ".join(demo.heads)
        raise WeightsError(f"the demo weights have no head for {request.operator}, but {offered}")
    own = demo.heads[request.operator]
    return Head(request.operator, "demo weights", own.tensors, own.sha256, own.facts)


def _from_file(request: HeadRequest, path: Path) -> Head:
    request.require_file()
    sha256 = sha256_file(path)
    header = read_header(path)
    if header is not None:
        return _own_head(request, path, sha256, header)
    for file in official_files(request.operator):
        if file.file_name == path.name and file.head not in WHOLE_MODELS:
            if file.model != request.architecture.name:
                raise WeightsError(
                    f"{path}: was trained on {file.model}, the model is {request.architecture.name}"
                )
            _check_backbone(request, str(path), belongs_to(file))
            return _official_head(request, path, sha256, file)
    tensors = to_authors(read_tensors(path))
    if swin.is_whole(tensors):
        return _swin_head(request, path, sha256, tensors)
    whole = depth_anything.family(tensors) or any(
        kind.is_whole(tensors) for kind in (eomt, plain_vit)
    )
    dinotxt.refuse_part(path, tensors)
    if request.architecture.rotary:
        raise WeightsError(
            f"{path}: no head that `dinostream fit` made, as its header would say; of a DINOv3 "
            f"({request.architecture.name}) only such run, neither DINOv2's official ones nor "
            "Meta's own"
        )
    _check_backbone(request, str(path), sha256 if whole else None)
    official = known_file(path.name, sha256)
    facts = _whole_facts(official) if official else {}
    return Head(request.operator, str(path), _own_part(tensors, request), sha256, facts)


def _whole_facts(file: OfficialFile) -> dict[str, str]:
    """What the official name of a model of its own says, and its tensors do not."""
    return {"domain": WHOLE_MODELS[file.head]} if file.head in WHOLE_MODELS else {}


def _official_head(request: HeadRequest, path: Path, sha256: str, file: OfficialFile) -> Head:
    trained_on = str(file.head).split("-")[0]  # nyu, kitti, ade20k, voc2012, imagenet
    facts = {}
    if file.purpose != "classify":
        facts = {"domain" if file.purpose == "depth" else "labelset": trained_on}
    return Head(request.operator, str(path), _own_part(read_tensors(path), request), sha256, facts)


def _swin_head(
    request: HeadRequest, path: Path, sha256: str, tensors: Mapping[str, Tensor]
) -> Head:
    """The classifier in a backbone's own file."""
    if request.operator != "classify":
        raise WeightsError(
            f"{path}: a Swin's file has a head for classify, none for {request.operator}; fit one "
            f"with dinostream fit {request.operator}, or leave --head {request.operator} out"
        )
    _check_backbone(request, str(path), sha256)
    own = swin.classifier(str(path), tensors)
    return Head(request.operator, str(path), own, sha256, {"vector": swin.VECTOR})


def _own_part(tensors: dict[str, Tensor], request: HeadRequest) -> dict[str, Tensor]:
    """What of a file is the head: all of it, where it does not hold a backbone as well."""
    if depth_anything.family(tensors):
        return depth_anything.decoder(tensors)
    if plain_vit.is_whole(tensors):
        if request.operator != "classify":
            raise WeightsError(
                f"--head {request.operator}: a DeiT's file has a head for classify alone; fit one "
                f"with dinostream fit {request.operator}"
            )
        return plain_vit.classifiers(tensors)
    return eomt.decoder(tensors, request.architecture.depth) if eomt.is_whole(tensors) else tensors


def _own_head(request: HeadRequest, path: Path, sha256: str, header: Mapping[str, Any]) -> Head:
    words = header.get("operator") == dinotxt.OPERATOR and request.operator in dinotxt.SERVES
    operator = dinotxt.OPERATOR if words else request.operator
    for key, allowed in (("format", HEADER_FORMAT), ("operator", operator)):
        if header.get(key) != allowed:
            raise WeightsError(
                f"{path}: its header says {key} {header.get(key)!r}, expected {allowed!r}"
            )
    trained_on = header.get("backbone")
    if not isinstance(trained_on, str) or len(trained_on) != 64:
        raise WeightsError(
            f"{path}: its header says backbone {trained_on!r}, expected the sha256 of its weights"
        )
    _check_backbone(request, str(path), trained_on)
    arch, model = request.architecture, header.get("model")
    # One file may be of two models, which normalise pixels or resize positions each its own way.
    if model != arch.name and (arch.rotary or model is not None):
        raise WeightsError(f"{path}: was fitted on {model}, the model is {arch.name}")
    return Head(request.operator, str(path), read_tensors(path), sha256, header)


def _check_backbone(request: HeadRequest, head: str, trained_on: str | None) -> None:
    got = request.backbone_sha256
    if trained_on is not None and trained_on != got:
        raise WeightsError(
            f"{head}: was trained on the backbone with sha256 {trained_on}, this run's has {got}; "
            "give the backbone it belongs to with --weights, or another head"
        )
    if trained_on is None and request.random_seed is not None:
        raise UsageError(
            f"{head}: a trained head says nothing on random weights; leave out "
            f"--head {request.operator} or give the backbone's weights"
        )
    if trained_on is None:
        log.info("%s does not say which backbone it was trained on; taken for %s", head, got)
