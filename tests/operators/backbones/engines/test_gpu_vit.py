"""The backbone as a GPU runs it, by the kernels' float32 twins, and what it loses by rounding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from kernels import attention, device
from operators.backbones.architectures import ARCHITECTURES, DEMO_MODEL, Architecture, architecture
from operators.backbones.engines.drawn_frames import drawn_frames
from operators.backbones.engines.fused_choice import MOVED
from operators.backbones.engines.gpu_vit import GpuVit
from operators.backbones.preprocess import normalise
from operators.backbones.vit import VisionTransformer
from operators.weights.load import load_backbone

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
SMALL = replace(ARCHITECTURES["dinov2_vitti14"], depth=2)
GATED = replace(SMALL, ffn="swiglu")
FUSED = [pytest.param(tuple(MOVED), id="fused"), pytest.param((), id="plain")]


@pytest.fixture(scope="module")
def demo() -> VisionTransformer:
    return load_backbone(architecture(DEMO_MODEL), "demo").model


def pixels(side: int = 112, count: int = 2) -> torch.Tensor:
    return torch.from_numpy(drawn_frames(1, count, side))


def off(got: torch.Tensor, want: torch.Tensor) -> float:
    return ((got - want).norm() / want.norm()).item()


@pytest.mark.parametrize("fused", FUSED)
@pytest.mark.parametrize("arch", [SMALL, replace(SMALL, registers=4), GATED], ids=str)
@torch.inference_mode()
def test_in_float32_it_is_the_model(arch: Architecture, fused: Sequence[str]) -> None:
    model = load_backbone(arch, "random", seed=3).model
    frames = torch.from_numpy(drawn_frames(0, 2, 56)[:, :, :42])
    want, kept = model(normalise(frames, torch.float32), (0, 1))
    got, own = GpuVit(model, CPU, torch.float32, fused).at((56, 42), (0, 1))(frames.contiguous())
    assert got.dtype == own[0].dtype == torch.float32
    for one, truth in ((got, want), (own[0], kept[0]), (own[1], kept[1])):
        torch.testing.assert_close(one, truth, atol=2e-5, rtol=2e-5)


@torch.inference_mode()
def test_bytes_are_exact_in_bfloat16() -> None:
    """Fused or not, the embedding multiplies the very bytes."""
    every = torch.arange(256, dtype=torch.uint8).repeat(4)[: 14 * 14 * 3].view(1, 14, 14, 3)
    model = load_backbone(SMALL, "random").model
    fused, plain = (GpuVit(model, CPU, torch.bfloat16, names) for names in (tuple(MOVED), ()))
    assert torch.equal(fused._tiles(every), plain._tiles(every))
    assert torch.equal(fused._tiles(every).sort().values, every.flatten().sort().values[None])


@torch.inference_mode()
def test_a_stream_that_is_not_rounded_is_worth_four_times(demo: VisionTransformer) -> None:
    """What all in bfloat16 costs, as the GPU path had it, is beside it: the gate can tell them."""
    frames, blocks = pixels(), (3, 11)
    want, kept = demo(normalise(frames, torch.float32), blocks)
    got, own = GpuVit(demo, CPU, torch.bfloat16, tuple(MOVED)).at((112, 112), blocks)(frames)
    halved = load_backbone(architecture(DEMO_MODEL), "demo").model.to(torch.bfloat16)
    old, _ = halved(normalise(frames, torch.bfloat16))
    assert 0.0005 < off(got, want) < 0.0025  # 0.0018
    assert all(off(own[block], kept[block]) < 0.0025 for block in blocks)
    assert off(old.float(), want) > 0.006  # 0.0080


class Launches(TorchDispatchMode):
    """What is launched, and what crosses between host and device."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.crossed: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = str(func.name())
        given = [one for one in torch.utils._pytree.tree_leaves((args, kwargs or {}, out))]
        places = {one.device.type for one in given if isinstance(one, torch.Tensor)}
        if len(places) > 1 or "cpu" in places:
            self.crossed.append(name)
        if not func.is_view and name not in ("aten::empty_like", "aten::new_empty"):
            self.names.append(name)
        return out


def launched(monkeypatch: pytest.MonkeyPatch, arch: Architecture) -> Launches:
    """Of one run on a card that is not there; kernels are as opaque as torch's own operators."""
    monkeypatch.setattr(device, "_probed", lambda where: True)
    path = attention.AttentionPath("triton", "as if there were a card")
    monkeypatch.setattr(attention, "_announced_path", lambda where, head_dim: path)
    vit = load_backbone(arch, "random").model
    with FakeTensorMode(allow_non_fake_inputs=True), torch.inference_mode():
        run = GpuVit(vit, CUDA, torch.bfloat16, tuple(MOVED)).at((56, 56), (0,))
        frames = torch.empty(4, 56, 56, 3, dtype=torch.uint8, device=CUDA)
        with Launches() as seen:
            tokens, kept = run(frames)
    assert tokens.shape == kept[0].shape == (4, 17, arch.width)
    return seen


@pytest.mark.parametrize(
    ("arch", "activation"),
    [(SMALL, "aten::gelu"), (GATED, "dinostream::swiglu")],
    ids=["mlp", "swiglu"],
)
def test_nothing_crosses_and_a_block_is_eight_launches(
    monkeypatch: pytest.MonkeyPatch, arch: Architecture, activation: str
) -> None:
    """So that a CUDA graph can record it. GELU is exact, so it is no part of cuBLAS's product."""
    fewer, more = (launched(monkeypatch, replace(arch, depth=depth)) for depth in (2, 3))
    assert fewer.crossed == more.crossed == []
    block = Counter(more.names) - Counter(fewer.names)
    assert block == {
        "aten::linear": 4,
        "dinostream::add_norm": 2,
        "dinostream::flash_attention": 1,
        activation: 1,
    }
