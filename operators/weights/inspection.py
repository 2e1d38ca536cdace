"""What a weights file holds: path in -> facts as JSON values, and lines for people out.

Runs nothing that is in it. Says what a head is for, what it was trained at, and how good it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.model import empty_model
from operators.backbones.rotary import PERIODS
from operators.weights import depth_anything, dinov3, eomt, plain_vit, swin
from operators.weights.catalogue import CATALOGUE, published_as
from operators.weights.checkpoint import is_pytorch, read_tensors
from operators.weights.demo import backbone_part, read_demo
from operators.weights.depth_anything_hf import to_authors
from operators.weights.digest import sha256_file
from operators.weights.head_needs import HeadNeeds
from operators.weights.header import read_header
from operators.weights.huggingface import is_hugging_face, to_upstream

_NAMED_CLASSES = 12
_UNKNOWN = "unknown"


def inspect_weights(path: Path) -> dict[str, Any]:
    """Look into a file.

    Returns:
        `format`, `layout`, `sha256`, `parameters` (how many numbers), `model` (the architecture
        that its backbone is, or None), `alike` (others with the same tensors), `heads` (headers of
        our own heads in it), `official` (what a file of that name is, as in the catalogue, or None)
        and `tensors` (name -> shape).

    Raises:
        WeightsError: it cannot be read, or asks to run code.
    """
    tensors = read_tensors(path)
    header = read_header(path) or {}
    layout, backbone = _backbone(to_authors(tensors), header)
    official = next((file for file in CATALOGUE if file.file_name == path.name), None)
    sha256 = sha256_file(path)
    models = recognised(backbone, sha256)
    return {
        "format": "PyTorch" if is_pytorch(path) else "safetensors",
        "layout": layout,
        "sha256": sha256,
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "model": models[0] if models else None,
        "alike": models[1:],
        "heads": _heads(header),
        "official": official and {"operator": official.purpose, "head": official.head},
        "tensors": {name: list(tensor.shape) for name, tensor in tensors.items()},
    }


def inspection_lines(path: Path, facts: Mapping[str, Any]) -> Iterator[str]:
    """The same for people.

    Args:
        path: of the file.
        facts: what `inspect_weights` said of it.
    """
    yield f"{path}: {facts['format']}, {facts['layout']} layout, sha256 {facts['sha256']}"
    yield f"{len(facts['tensors'])} tensors, {facts['parameters']:,} numbers"
    official, heads = facts["official"] or {}, facts["heads"]
    if facts["model"] or not (heads or official.get("head")):
        alike = f", or {' or '.join(facts['alike'])}: their tensors are alike"
        yield (
            f"model: {facts['model'] or 'no backbone that dinostream knows'}"
            f"{alike if facts['alike'] else ''}"
        )
    if official.get("head"):
        yield f"head: {official['operator']} {official['head']}, by its official name"
    for header in heads:
        here = "in this file" if facts["model"] else None  # its header knows it before rounding
        yield from _head_lines(header, here)


def _backbone(
    tensors: dict[str, Tensor], header: Mapping[str, Any]
) -> tuple[str, Mapping[str, Tensor]]:
    """The layout, and what of the file may be a backbone, by upstream's names."""
    if eomt.is_whole(tensors):
        return "EoMT", eomt.renamed(tensors)
    if swin.is_whole(tensors):
        return "Swin", swin.backbone(tensors)
    if dinov3.is_one(tensors):
        return "DINOv3", dinov3.renamed(tensors)
    if is_hugging_face(tensors):
        return "Hugging Face", to_upstream(tensors)
    if depth_anything.is_multi_view(tensors):
        return "Depth Anything 3 of many views", tensors
    whole = depth_anything.family(tensors)
    if whole:
        return whole.title, depth_anything.encoder(tensors)
    if "heads" in header:
        return "dinostream demo", backbone_part(tensors)
    return "dinostream head" if "operator" in header else "upstream", tensors


def _heads(header: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    many = header.get("heads")
    if isinstance(many, Mapping):
        return [{"operator": operator, **own} for operator, own in many.items()]
    return [header] if "operator" in header else []


def recognised(tensors: Mapping[str, Tensor], sha256: str = "") -> list[str]:
    """The architectures that have exactly these tensors, or a whole EoMT's beside its head's.

    Args:
        tensors: by upstream's names.
        sha256: of the file; where it is a published one, it is of one architecture alone.
    """
    found = []
    for name, arch in ARCHITECTURES.items():
        named = tensors if arch.layer_scale else plain_vit.backbone(tensors, arch)
        shapes = {key: list(tensor.shape) for key, tensor in named.items()}
        if shapes.get("norm.weight") != [arch.width] or ("cls_token" in shapes) == arch.pyramid:
            continue
        own = empty_model(arch).state_dict()
        if PERIODS not in shapes:
            own.pop(PERIODS, None)  # a DINOv3's, which Hugging Face's files leave out
        given = shapes
        if arch.own_blocks and f"blocks.{arch.depth + arch.own_blocks - 1}.norm1.bias" in shapes:
            given = {key: shape for key, shape in shapes.items() if eomt.of_trunk(key, arch.depth)}
        if {key: list(tensor.shape) for key, tensor in own.items()} == given:
            found.append(name)
    published = published_as(sha256)
    return [published.model] if published and published.model in found else found


def _head_lines(header: Mapping[str, Any], here: str | None) -> Iterator[str]:
    needs = HeadNeeds.of(header)
    yield f"head: {header['operator']}{_classes(needs)}{_range(header)}"
    if needs.fps is not None:
        yield f"  sampling: {needs.fps:g} frames/s{_windows(needs)}"
    size = _UNKNOWN if needs.short_side is None else f"{needs.short_side} px"
    yield f"  frames: short side {size}, scaled by {needs.filter or _UNKNOWN}"
    own = f", the last {needs.own_blocks} blocks are its own" if needs.own_blocks else ""
    yield f"  backbone: {needs.model or _UNKNOWN} {here or _weights(needs.backbone)}{own}"
    yield f"  trained: {_trained(header)}"
    yield from _metrics(header.get("metrics"))


def _classes(needs: HeadNeeds) -> str:
    if not needs.classes:
        return ""
    named = ", ".join(needs.classes[:_NAMED_CLASSES])
    more = ", ..." if len(needs.classes) > _NAMED_CLASSES else ""
    return f", {len(needs.classes)} classes: {named}{more}"


def _range(header: Mapping[str, Any]) -> str:
    match header.get("range_m"):
        case [low, high]:
            return f", {low:g} m to {high:g} m"
    return ""


def _windows(needs: HeadNeeds) -> str:
    if needs.frames is None or not needs.fps:
        return ""
    stride = "" if needs.stride is None else f", one every {needs.stride} frames"
    return f", windows of {needs.frames} frames ({needs.frames / needs.fps:.3g} s){stride}"


def _weights(sha256: str | None) -> str:
    """Which weights those are, where they are known by their hash."""
    if sha256 is None:
        return "(its header does not say which weights)"
    for file in CATALOGUE:
        if file.sha256 == sha256:
            return f"with the official {file.file_name}"
    known = " (--weights demo)" if sha256 == read_demo().sha256 else ""
    return f"with sha256 {sha256}{known}"


def _trained(header: Mapping[str, Any]) -> str:
    trained = header.get("trained")
    what = trained if isinstance(trained, Mapping) else {}
    how = what.get("what") or what.get("chosen") or "its header does not say how"
    data, sources = header.get("data"), header.get("sources")
    known = f", of {len(sources)} files or scenes" if isinstance(sources, list) else ""
    return f"{how}{known}" + (f", data {data[:12]}" if isinstance(data, str) else "")


def _metrics(metrics: object) -> Iterator[str]:
    """Numbers with their intervals; other entries, such as losses on the way, are left out."""
    if not isinstance(metrics, Mapping) or not metrics:
        yield "  measured: nothing"
        return
    on = metrics.get("measured_on", "what was put aside of its data")
    yield f"  measured on {on}:"
    for name, number in metrics.items():
        if isinstance(number, Mapping) and isinstance(number.get("value"), int | float):
            yield f"{name:>21}  {_estimate(number)}"


def _estimate(number: Mapping[str, Any]) -> str:
    low, high = number.get("low"), number.get("high")
    text = f"{number['value']:.3f}"
    return text if low is None or high is None else f"{text}  (95 %: {low:.3f} to {high:.3f})"
