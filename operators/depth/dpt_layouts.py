"""How the families of DPT files name their tensors: a file's tensors in -> `Dpt`'s names out.

Upstream: facebookresearch/dinov2 hub/depth/decode_heads.py; DepthAnything/Depth-Anything-V2
depth_anything_v2/dpt.py; ByteDance-Seed/Depth-Anything-3 src/depth_anything_3/model/dpt.py. Must
not compute anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.weights.depth_anything import V2, V3, Family

_DINOV2_CHANNELS = 256
# width of the encoder -> channels of the decoder, channels of each scale
_DEPTH_ANYTHING = {
    384: (64, (48, 96, 192, 384)),
    768: (128, (96, 192, 384, 768)),
    1024: (256, (256, 512, 1024, 1024)),
}
_LAST = 32  # channels before the value
_RESIZE_SIDE = {0: 4, 1: 2, 3: 3}  # of the kernel that brings a block to its scale

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies in a file: its name there and its shape."""

    name: str
    shape: Shape


DptLayout = Mapping[str, Place]
"""`Dpt`'s name of a tensor -> where it lies."""


def dinov2_dpt(arch: Architecture) -> DptLayout:
    """DINOv2's depth heads `*_dpt_head.pth`."""
    width, head = arch.width, "decode_head"
    scales = tuple(width // 8 * 2**index for index in range(4))
    blocks = f"{head}.reassemble_blocks"
    places: dict[str, Place] = {}
    for index, channels in enumerate(scales):
        readout = f"{blocks}.readout_projects.{index}.0"
        places |= _pair(f"readout.{index}", readout, (width, 2 * width))
        projected = f"{blocks}.projects.{index}.conv"
        places |= _pair(f"project.{index}", projected, (channels, width, 1, 1))
        stage = f"{head}.convs.{index}.conv.weight"
        places[f"stage.{index}.weight"] = Place(stage, (_DINOV2_CHANNELS, channels, 3, 3))
    places |= _resizing(f"{blocks}.resize_layers", scales)
    square = (_DINOV2_CHANNELS, _DINOV2_CHANNELS)
    for step in range(4):
        block = f"{head}.fusion_blocks.{step}"
        for ours, theirs in _units(step):
            unit = f"{block}.res_conv_unit{theirs}.conv.weight"
            places[f"merge.{step}.{ours}.weight"] = Place(unit, (*square, 3, 3))
        places |= _pair(f"merge.{step}.out", f"{block}.project.conv", (*square, 1, 1))
    places |= _pair("smooth", f"{head}.project.conv", (*square, 3, 3))
    places |= _tail(_DINOV2_CHANNELS, f"{head}.conv_depth.head", ("0", "2", "4"))
    return places


def depth_anything_dpt(arch: Architecture) -> DptLayout:
    """The decoder in `depth_anything_v2_*.pth`, relative and metric.

    Raises:
        ValueError: no Depth Anything V2 was published on such a backbone.
    """
    # The coarsest step has nothing to skip to, but its file holds the tensors.
    return _depth_anything(arch, V2, first_skip=True)


def depth_anything_3_dpt(arch: Architecture) -> DptLayout:
    """The decoder in the `model.safetensors` of a Depth Anything 3 of one view; `sky.*` tell where
    the sky is, `norm.*` are the encoder's final norm.

    Raises:
        ValueError: no Depth Anything was published on such a backbone.
    """
    places = _depth_anything(arch, V3, first_skip=False)
    channels, _ = _DEPTH_ANYTHING[arch.width]
    sky = f"{V3.decoder}scratch.sky_output_conv2"
    norm = f"{V3.encoder}norm"
    return {
        **places,
        **_pair("sky.last", f"{sky}.0", (_LAST, channels // 2, 3, 3)),
        **_pair("sky.value", f"{sky}.2", (1, _LAST, 1, 1)),
        **{f"norm.{part}": Place(f"{norm}.{part}", (arch.width,)) for part in ("weight", "bias")},
    }


def _depth_anything(arch: Architecture, family: Family, *, first_skip: bool) -> dict[str, Place]:
    if arch.width not in _DEPTH_ANYTHING or arch.registers:
        raise ValueError(f"there is no {family.title} for {arch.name}; there are S, B and L")
    channels, scales = _DEPTH_ANYTHING[arch.width]
    head, scratch = family.decoder.removesuffix("."), f"{family.decoder}scratch"
    places: dict[str, Place] = {}
    for index, own in enumerate(scales):
        projected = f"{head}.projects.{index}"
        places |= _pair(f"project.{index}", projected, (own, arch.width, 1, 1))
        stage = f"{scratch}.layer{index + 1}_rn.weight"
        places[f"stage.{index}.weight"] = Place(stage, (channels, own, 3, 3))
    places |= _resizing(f"{head}.resize_layers", scales)
    for step in range(4):
        block = f"{scratch}.refinenet{4 - step}"
        for ours, theirs in _units(step, always=first_skip):
            unit = f"{block}.resConfUnit{theirs}"
            places |= _pair(f"merge.{step}.{ours}", unit, (channels, channels, 3, 3))
        places |= _pair(f"merge.{step}.out", f"{block}.out_conv", (channels, channels, 1, 1))
    places |= _tail(channels, scratch, ("output_conv1", "output_conv2.0", "output_conv2.2"))
    return places


def file_shapes(layout: DptLayout) -> dict[str, Shape]:
    """Names and shapes as the file has them."""
    return {place.name: place.shape for place in layout.values()}


def renamed(layout: DptLayout, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A file's tensors by `Dpt`'s names."""
    return {name: tensors[place.name] for name, place in layout.items()}


def _pair(ours: str, theirs: str, shape: Shape) -> dict[str, Place]:
    """A weight and its bias."""
    return {
        f"{ours}.weight": Place(f"{theirs}.weight", shape),
        f"{ours}.bias": Place(f"{theirs}.bias", (shape[0],)),
    }


def _resizing(prefix: str, scales: tuple[int, ...]) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for index, side in _RESIZE_SIDE.items():
        channels = scales[index]
        places |= _pair(f"resize.{index}", f"{prefix}.{index}", (channels, channels, side, side))
    return places


def _units(step: int, *, always: bool = False) -> Iterator[tuple[str, str]]:
    """The 3x3 convolutions of a merging: our name, their unit and number."""
    units = (("skip", 1), ("unit", 2)) if step or always else (("unit", 2),)
    for ours, number in units:
        for conv in (1, 2):
            yield f"{ours}.{conv}", f"{number}.conv{conv}"


def _tail(channels: int, prefix: str, names: tuple[str, str, str]) -> dict[str, Place]:
    squeeze, last, value = (f"{prefix}.{name}" for name in names)
    return {
        **_pair("squeeze", squeeze, (channels // 2, channels, 3, 3)),
        **_pair("last", last, (_LAST, channels // 2, 3, 3)),
        **_pair("value", value, (1, _LAST, 1, 1)),
    }
