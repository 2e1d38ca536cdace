import pytest
import torch
from torch.nn import functional as F

from kernels.patches import patches
from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.preprocess import normalise
from operators.backbones.statistics import IMAGENET
from operators.backbones.vit import PatchEmbed

STATISTICS = {"mean": IMAGENET.mean, "std": IMAGENET.std, "patch": 14}


def draw(n_batch: int, height: int, width: int, device: str = "cpu") -> torch.Tensor:
    generator = torch.Generator().manual_seed(height)
    size = (n_batch, height, width, 3)
    return torch.randint(0, 256, size, generator=generator, dtype=torch.uint8).to(device)


def by_hand(pixels: torch.Tensor, patch: int) -> torch.Tensor:
    """Patch by patch and number by number in float64."""
    n_batch, height, width, _ = pixels.shape
    rows = [
        [
            (int(pixels[b, y + r, x + s, c]) / 255 - IMAGENET.mean[c]) / IMAGENET.std[c]
            for c in range(3)
            for r in range(patch)
            for s in range(patch)
        ]
        for b in range(n_batch)
        for y in range(0, height, patch)
        for x in range(0, width, patch)
    ]
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("patch", [14, 16])
def test_every_number_is_where_the_definition_has_it(patch: int) -> None:
    pixels = draw(2, 2 * patch, 3 * patch)
    out = patches(pixels, **STATISTICS | {"patch": patch}, dtype=torch.float32)
    assert out.is_contiguous()
    torch.testing.assert_close(out.double(), by_hand(pixels, patch), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_cpu_has_the_bits_of_normalise(dtype: torch.dtype) -> None:
    pixels = draw(2, 42, 70)
    tiles = normalise(pixels, dtype).reshape(2, 3, 3, 14, 5, 14).permute(0, 2, 4, 1, 3, 5)
    out = patches(pixels, **STATISTICS, dtype=dtype)
    assert torch.equal(out, tiles.reshape(30, 588))


def test_one_product_away_from_the_tokens_of_the_model() -> None:
    embed = PatchEmbed(ARCHITECTURES["dinov2_vits14"])
    pixels = draw(2, 28, 56)
    tiles = patches(pixels, **STATISTICS, dtype=torch.float32)
    tokens = F.linear(tiles, embed.proj.weight.flatten(1), embed.proj.bias)
    assert torch.equal(tokens.view(2, 8, -1), embed(normalise(pixels, torch.float32)))


@pytest.mark.parametrize(
    ("pixels", "changes", "message"),
    [
        (torch.zeros(1, 14, 14, 3), {}, r"torch\.float32 \[1, 14, 14, 3\]; allowed: torch\.uint8"),
        (torch.zeros(1, 3, 14, 14, dtype=torch.uint8), {}, r"\[1, 3, 14, 14\]; allowed"),
        (torch.zeros(1, 14, 15, 3, dtype=torch.uint8), {}, "H and W multiples of 14"),
        (torch.zeros(0, 14, 14, 3, dtype=torch.uint8), {}, "not empty"),
        (draw(1, 14, 14), {"patch": 16}, "H and W multiples of 16"),
        (draw(1, 14, 14), {"patch": 7}, "patch is 7; allowed: even numbers"),
        (draw(1, 14, 14), {"mean": (0.5,)}, "three numbers each, std above 0"),
        (draw(1, 14, 14), {"std": (0.2, 0.0, 0.2)}, "three numbers each, std above 0"),
        (draw(1, 14, 14), {"dtype": torch.float64}, r"dtype is torch\.float64; allowed"),
    ],
)
def test_what_does_not_fit_is_refused(
    pixels: torch.Tensor, changes: dict[str, object], message: str
) -> None:
    options: dict[str, object] = {**STATISTICS, "dtype": torch.float32, **changes}
    with pytest.raises(ValueError, match=message):
        patches(pixels, **options)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("size", [(3, 224, 224), (2, 518, 518), (2, 14, 392)])
def test_cuda_equals_the_reference(size: tuple[int, int, int]) -> None:
    pixels = draw(*size, device="cuda")
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.float16, 1e-3), (torch.bfloat16, 1e-2)):
        out = patches(pixels, **STATISTICS, dtype=dtype)
        truth = patches(pixels.cpu(), **STATISTICS, dtype=torch.float32)
        torch.testing.assert_close(out.cpu().float(), truth, atol=tolerance, rtol=tolerance)
