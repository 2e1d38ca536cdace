"""Swin against transformers' on the same seeded weights, through files that it wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from operators.backbones import swin
from operators.backbones.architectures import ARCHITECTURES, Architecture, architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.swin import SwinTransformer, empty_swin, filled_swin, separation
from operators.weights.load import load_backbone
from tests.operators.swin_twin import SMALL, Twin

pytestmark = pytest.mark.slow
MAX_ERROR = 1e-4
# The last map: one window; half of one more, not shifted; and two by two, padded and shifted.
SIZES_HW = ((224, 224), (224, 320), (288, 256))


def mapped(tokens: torch.Tensor, size_hw: tuple[int, int], stride: int) -> torch.Tensor:
    """Without the mean, `[B, h, w, C]`."""
    return tokens[:, 1:].unflatten(1, (size_hw[0] // stride, size_hw[1] // stride))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, seeded) -> tuple[Twin, SwinTransformer]:
    twin = Twin(SMALL, seeded)
    path = twin.save(tmp_path_factory.mktemp("swin"))
    return twin, load_backbone(SMALL, str(path)).model


@pytest.fixture(scope="module")
def seeded(vit_recipe):
    """As the fixture `fill`, for a whole module."""

    def filled(module):
        shapes = {name: tuple(one.shape) for name, one in module.state_dict().items()}
        tensors = vit_recipe.seeded_tensors(shapes)
        module.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()}, assign=True)
        return module.eval().requires_grad_(False)

    return filled


@torch.inference_mode()
def errors(model: SwinTransformer, twin: Twin, pixels: torch.Tensor) -> list[float]:
    """Largest difference of the last map after the norm, then of every stage's before it."""
    size_hw = tuple(pixels.shape[2:])
    last, maps = twin.maps(pixels)
    tokens, kept = model(pixels, range(4))
    pairs = [(mapped(tokens, size_hw, 32), last)]
    pairs += [(mapped(kept[stage], size_hw, 4 << stage), maps[stage]) for stage in range(4)]
    return [(got - want).abs().max().item() for got, want in pairs]


@pytest.mark.parametrize("size_hw", SIZES_HW, ids=str)
def test_every_stage_equals_transformers(size_hw, small, vit_recipe):
    twin, model = small
    pixels = torch.from_numpy(vit_recipe.seeded_pixels(size_hw))

    assert max(errors(model, twin, pixels)) <= MAX_ERROR

    places, pooled = twin.last(pixels)
    tokens, _ = model(pixels)
    assert (tokens[:, 1:] - places).abs().max() <= MAX_ERROR
    assert (tokens[:, 0] - pooled).abs().max() <= MAX_ERROR, "it is what its classifier pools"


def unshifted(model: SwinTransformer) -> None:
    for module in model.modules():
        if isinstance(module, swin.SwinBlock):
            module.shift = 0


def everywhere_shifted(model: SwinTransformer) -> None:
    for stage in model.layers:
        stage.blocks[0].shift = model.architecture.window // 2


@pytest.mark.parametrize("spoil", [unshifted, everywhere_shifted])
def test_parity_would_see_wrong_shifts(spoil, small, vit_recipe):
    twin, model = small
    other = filled_swin(SMALL, model.state_dict())
    spoil(other)

    pixels = torch.from_numpy(vit_recipe.seeded_pixels(SIZES_HW[2]))
    assert min(errors(other, twin, pixels)) > 100 * MAX_ERROR


@pytest.mark.parametrize("lost", ["separation", "_offsets"])
def test_parity_would_see_a_lost_mask_or_bias(lost, small, vit_recipe, monkeypatch):
    twin, model = small
    real = getattr(swin, lost)
    monkeypatch.setattr(swin, lost, lambda *given: torch.zeros_like(real(*given)))

    pixels = torch.from_numpy(vit_recipe.seeded_pixels(SIZES_HW[2]))
    assert min(errors(model, twin, pixels)) > 100 * MAX_ERROR


@pytest.mark.parametrize("window", [7, 12])
def test_published_sizes_equal_transformers(window, tmp_path, seeded, vit_recipe):
    name = {7: "swin_tiny_patch4_window7_224", 12: "swin_base_patch4_window12_384"}[window]
    arch = architecture(name)
    arch = replace(arch, stages=arch.stages if window == 7 else (1, 2, 2, 1))
    twin = Twin(arch, seeded)
    model = load_backbone(arch, str(twin.save(tmp_path))).model

    side = 32 * window
    pixels = torch.from_numpy(vit_recipe.seeded_pixels((side, side + 32)))
    assert max(errors(model, twin, pixels)) <= MAX_ERROR


def test_only_a_shift_sets_neighbours_apart():
    """Of four windows the one in the upper left corner holds neighbours alone."""
    apart = separation((14, 14), 7, 3)

    assert apart.shape == (4, 49, 49)
    assert [sorted(set(window.unique().tolist())) for window in apart] == [
        [0.0],
        *[[-100.0, 0.0]] * 3,
    ]
    # 4 columns of a window are from the right rim, 3 from the left one.
    assert (apart[1] == 0).sum() == 28**2 + 21**2
    assert (apart[3] == 0).sum() == 16**2 + 2 * 12**2 + 9**2


def test_the_table_has_the_sizes_of_the_paper():
    """Table 7 of arXiv 2103.14030; parameters there are with the classifier."""
    sizes = {
        name: (arch.width // 8, arch.stages, round(_parameters(arch) / 1e6))
        for name, arch in ARCHITECTURES.items()
        if arch.pyramid
    }
    deep = (2, 2, 18, 2)
    assert sizes == {
        "swin_tiny_patch4_window7_224": (96, (2, 2, 6, 2), 28),
        "swin_small_patch4_window7_224": (96, deep, 50),
        "swin_base_patch4_window7_224": (128, deep, 88),
        "swin_large_patch4_window7_224": (192, deep, 197),
        "swin_base_patch4_window12_384": (128, deep, 88),
        "swin_large_patch4_window12_384": (192, deep, 197),
    }
    assert {arch.head_dim for arch in ARCHITECTURES.values() if arch.pyramid} == {32}


def _parameters(arch: Architecture) -> int:
    """With ImageNet's classifier."""
    return sum(one.numel() for one in empty_swin(arch).parameters()) + 1000 * (arch.width + 1)


@pytest.mark.parametrize("sizes", [{"stages": (2, 2)}, {"window": 0}])
def test_half_a_pyramid_is_refused(sizes):
    with pytest.raises(ValueError, match="swin_256: stages"):
        replace(SMALL, **sizes)


def test_wrong_sizes_and_stages_are_refused():
    model = filled_swin(SMALL, random_tensors(SMALL, 0))
    with pytest.raises(ValueError, match="frame size 224x230 must be multiples of 32"):
        model(torch.zeros(1, 3, 224, 230))
    with pytest.raises(ValueError, match=r"stages \[4\] do not exist; swin_256 has stages 0 to 3"):
        model(torch.zeros(1, 3, 32, 32), [4])
