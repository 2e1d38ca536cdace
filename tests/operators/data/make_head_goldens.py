"""Writes head_goldens.npz: what upstream's own heads compute on seeded weights.

    python make_head_goldens.py DINOV2_CHECKOUT DEPTH_ANYTHING_V2_CHECKOUT

head_goldens.md beside this file says which checkouts. The tests draw weights by the same recipe.
Linear depth heads have a script of their own, make_depth_goldens.py. Not run by the test suite.
"""

from __future__ import annotations

import hashlib
import os
import runpy
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL = "dinov2_vits14"
ENCODER = "vit_small"
SIZES_HW = ((70, 98), (56, 84))  # odd grids of patches and even ones
CLASSES = 21
RANGES_M = {"nyu": (0.001, 10.0), "kitti": (0.001, 80.0)}
LAST_BLOCKS = (8, 9, 10, 11)
MAP_SCALE = 4
EVERY = 7  # of the pixels of a picture-sized map that are kept, each way
ENCODERS = {
    "dinov2_vits14": "vit_small",
    "dinov2_vitb14": "vit_base",
    "dinov2_vitl14": "vit_large",
    "dinov2_vitg14": "vit_giant2",
}
# The authors' own sizes: channels of the decoder, channels of each scale.
DEPTH_ANYTHING = {
    "dinov2_vits14": (64, [48, 96, 192, 384]),
    "dinov2_vitb14": (128, [96, 192, 384, 768]),
    "dinov2_vitl14": (256, [256, 512, 1024, 1024]),
}

Arrays = dict[str, NDArray[np.float32]]


def seeded_head(shapes: Mapping[str, Sequence[int]]) -> Arrays:
    """A head's tensors by upstream's names: numpy's PCG64, drawn in name order.

    Matrices keep the size of what goes through them; the value of a depth head has a bias of 4, so
    that its map is above zero mostly, not everywhere.
    """
    draw = np.random.Generator(np.random.PCG64(31))
    return {
        name: _scaled(name, draw.standard_normal(tuple(shapes[name]), dtype=np.float32))
        for name in sorted(shapes)
    }


def _scaled(name: str, normal: NDArray[np.float32]) -> NDArray[np.float32]:
    if name.endswith(("conv_depth.head.4.bias", "output_conv2.2.bias")):
        return np.full_like(normal, 4)
    if name.endswith("running_var"):
        return 1 + np.abs(normal)
    if name.endswith("bn.weight"):
        return 1 + normal * np.float32(0.1)
    if name.endswith(("conv_depth.head.4.weight", "output_conv2.2.weight")):
        return normal * 2
    if normal.ndim < 2:
        return normal * np.float32(0.1)
    return normal / np.sqrt(np.float32(normal[0].size))


def layout_digest(shapes: Mapping[str, Sequence[int]]) -> str:
    """One number for all names and shapes."""
    lines = [f"{name} {list(shapes[name])}" for name in sorted(shapes)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def shapes_of(module: Any, names: Iterable[str] = ()) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a module's tensors, only those that begin with one of `names`."""
    prefixes = tuple(names) or ("",)
    state = module.state_dict()
    return {name: tuple(one.shape) for name, one in state.items() if name.startswith(prefixes)}


def main(dinov2: str, depth_anything: str, target: Path) -> None:
    """Run upstream and write what it says."""
    os.environ["XFORMERS_DISABLED"] = "1"
    sys.path[:0] = [dinov2, depth_anything]
    vit = runpy.run_path(str(target.with_name("make_vit_goldens.py")))
    goldens: dict[str, Any] = {}
    for size_hw in SIZES_HW:
        pixels = vit["seeded_pixels"](size_hw)
        key = f"{size_hw[0]}x{size_hw[1]}"
        for name, golden in _dpt(pixels, vit).items():
            goldens[f"dpt/{key}/{name}"] = golden
        for name, golden in _segmentation(pixels, vit).items():
            goldens[f"segmentation/{key}/{name}"] = golden
        for name, golden in _depth_anything(pixels, vit).items():
            goldens[f"depth-anything/{key}/{name}"] = golden
    for model in ENCODERS:
        goldens[f"blocks/{model}"], goldens[f"layout/dpt/{model}"] = _dpt_facts(model)
    for model in DEPTH_ANYTHING:
        whole = _depth_anything_model(model)
        goldens[f"layout/depth-anything/{model}"] = layout_digest(shapes_of(whole))
    for registers in (False, True):
        for layers in (1, 4):
            name = f"classify/{'reg' if registers else 'plain'}/{layers}"
            goldens[name] = _classify(vit, registers=registers, layers=layers)
    np.savez_compressed(target, **goldens)


def _dpt(pixels: NDArray[np.float32], vit: dict[str, Any]) -> dict[str, Any]:
    """At the published map's size, and a sample of the map at the picture's size."""
    import torch
    from dinov2.hub.depthers import _make_dinov2_dpt_depther

    found: dict[str, Any] = {}
    for domain, range_m in RANGES_M.items():
        depther = _make_dinov2_dpt_depther(
            arch_name=ENCODER, pretrained=False, depth_range=range_m
        ).eval()
        _fill(depther.backbone, vit["seeded_tensors"](shapes_of(depther.backbone)))
        head = seeded_head(shapes_of(depther, ["decode_head."]))
        _fill(depther.decode_head, {k.removeprefix("decode_head."): v for k, v in head.items()})
        small = [side // 14 * MAP_SCALE for side in pixels.shape[2:]]
        with torch.inference_mode():
            image = torch.from_numpy(pixels)
            found[f"{domain}/map"] = depther.encode_decode(image, None, size=small)[0, 0].numpy()
            full = depther.encode_decode(image, None)[0, 0].numpy()
            found[f"{domain}/picture"] = full[::EVERY, ::EVERY]
    return found


def _dpt_facts(model: str) -> tuple[list[int], str]:
    """The blocks that it reads and what its head's tensors are called."""
    import torch
    from dinov2.hub.depthers import _make_dinov2_dpt_depther

    with torch.device("meta"):
        swiglu = {"ffn_layer": "swiglufused"} if model == "dinov2_vitg14" else {}
        depther = _make_dinov2_dpt_depther(arch_name=ENCODERS[model], pretrained=False, **swiglu)
    names = shapes_of(depther, ["decode_head."])
    return list(depther.backbone.forward.keywords["n"]), layout_digest(names)


def _segmentation(pixels: NDArray[np.float32], vit: dict[str, Any]) -> dict[str, Any]:
    """Logits `[h, w, classes]` of the linear head (one block) and of the multi-scale one (four)."""
    import torch
    from dinov2.hub.backbones import dinov2_vits14

    _stub_segmentation_libraries()
    from dinov2.eval.segmentation.models.decode_heads.linear_head import BNHead

    backbone = dinov2_vits14(pretrained=False).eval()
    _fill(backbone, vit["seeded_tensors"](shapes_of(backbone)))
    found: dict[str, Any] = {}
    for name, blocks in (("linear", LAST_BLOCKS[-1:]), ("ms", LAST_BLOCKS)):
        head = BNHead(blocks=len(blocks), width=backbone.embed_dim, classes=CLASSES).eval()
        prefixed = {f"decode_head.{key}": shape for key, shape in shapes_of(head).items()}
        tensors = seeded_head(
            {key: shape for key, shape in prefixed.items() if not key.endswith("tracked")}
        )
        tensors["decode_head.bn.num_batches_tracked"] = np.zeros((), dtype=np.int64)
        _fill(head, {k.removeprefix("decode_head."): v for k, v in tensors.items()})
        with torch.inference_mode():
            read = backbone.get_intermediate_layers(
                torch.from_numpy(pixels), n=list(blocks), reshape=True
            )
            found[name] = head(list(read))[0].permute(1, 2, 0).numpy()
    return found


def _stub_segmentation_libraries() -> None:
    """The parts of mmseg that upstream's head leans on, by mmseg's documentation."""
    import torch

    class Registry:
        @staticmethod
        def register_module() -> Any:
            return lambda kind: kind

    class BaseDecodeHead(torch.nn.Module):
        """In evaluation: a 1x1 convolution to classes behind what the subclass makes."""

        def __init__(self, *, blocks: int, width: int, classes: int) -> None:
            super().__init__()
            self.in_channels = self.channels = blocks * width
            self.in_index, self.input_transform = list(range(blocks)), "resize_concat"
            self.align_corners = False
            self.conv_seg = torch.nn.Conv2d(self.channels, classes, kernel_size=1)

        def cls_seg(self, feature: Any) -> Any:
            return self.conv_seg(feature)

    def resize(**options: Any) -> Any:
        return torch.nn.functional.interpolate(**options)

    stubs: dict[str, dict[str, Any]] = {
        "mmcv": {},
        "mmcv.runner": {"BaseModule": torch.nn.Module, "OptimizerHook": object, "HOOKS": Registry},
        "mmseg": {},
        "mmseg.models": {},
        "mmseg.models.builder": {"HEADS": Registry, "BACKBONES": Registry},
        "mmseg.models.decode_heads": {},
        "mmseg.models.decode_heads.decode_head": {"BaseDecodeHead": BaseDecodeHead},
        "mmseg.ops": {"resize": resize},
    }
    _stub(stubs)


def _depth_anything_model(model: str) -> Any:
    _stub({"cv2": {"INTER_CUBIC": 2, "INTER_AREA": 3}, "torchvision": {}})
    _stub({"torchvision.transforms": {"Compose": object}})
    from depth_anything_v2.dpt import DepthAnythingV2

    features, scales = DEPTH_ANYTHING[model]
    encoder = model.removeprefix("dinov2_").removesuffix("14")
    return DepthAnythingV2(encoder=encoder, features=features, out_channels=scales).eval()


def _depth_anything(pixels: NDArray[np.float32], vit: dict[str, Any]) -> dict[str, Any]:
    """A sample of the map at the picture's size."""
    import torch

    model = _depth_anything_model(MODEL)
    encoder = vit["seeded_tensors"](shapes_of(model.pretrained))
    head = seeded_head(shapes_of(model, ["depth_head."]))
    _fill(model, {f"pretrained.{name}": one for name, one in encoder.items()} | head)
    with torch.inference_mode():
        picture = model(torch.from_numpy(pixels))[0].numpy()
    return {"picture": picture[::EVERY, ::EVERY]}


def _classify(vit: dict[str, Any], *, registers: bool, layers: int) -> NDArray[np.float32]:
    """Every tenth logit of the 1000."""
    import torch
    from dinov2.hub import classifiers

    make = classifiers.dinov2_vits14_reg_lc if registers else classifiers.dinov2_vits14_lc
    model = make(layers=layers, pretrained=False).eval()
    _fill(model.backbone, vit["seeded_tensors"](shapes_of(model.backbone)))
    _fill(model.linear_head, seeded_head(shapes_of(model.linear_head)))
    with torch.inference_mode():
        return model(torch.from_numpy(vit["seeded_pixels"](SIZES_HW[0])))[0, ::10].numpy()


def _stub(modules: Mapping[str, Mapping[str, Any]]) -> None:
    for name, contents in modules.items():
        sys.modules[name] = module = ModuleType(name)
        vars(module).update(contents)


def _fill(module: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    import torch

    tensors = {name: torch.from_numpy(np.asarray(one)) for name, one in arrays.items()}
    module.load_state_dict(tensors, strict=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(__file__).with_name("head_goldens.npz"))
