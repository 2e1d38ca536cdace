"""Engines compute what the plain model computes, kept blocks too, at any size, on any thread."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from operators.backbones.architectures import Architecture, architecture
from operators.backbones.engines.choice import Choice, build_engine
from operators.backbones.engines.engine import BackboneEngine
from operators.backbones.machine import this_machine
from operators.backbones.preprocess import normalise
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import VisionTransformer

SIZES_HW = [(70, 98), (14, 14), (518, 14)]
BLOCKS = (0, 2)
HAS_BFLOAT16 = {"avx512_bf16", "amx_bf16"} & set(this_machine().features)
EXACT, ROUNDED = 2e-5, 0.999  # largest error in float32, least cosine of a token in bfloat16


def small(name: str, **changes: object) -> VisionTransformer:
    """A real architecture with three blocks; LayerScale and biases of every size."""
    full = architecture(name)
    fields = {name: getattr(full, name) for name in full.__dataclass_fields__}
    arch = Architecture(**{**fields, "depth": 3, **changes})
    vit = VisionTransformer(arch)
    vit.load_state_dict(random_tensors(arch, 4))
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, tensor in vit.named_parameters():
            if key.endswith("gamma"):
                tensor.uniform_(-1.5, 1.5, generator=draw)
            elif key.endswith("bias"):
                tensor.normal_(0, 0.2, generator=draw)
    return vit.eval().requires_grad_(False)


@pytest.fixture(scope="module", params=["dinov2_vitti14", "dinov2_vits14_reg", "dinov2_vitg14"])
def vit(request: pytest.FixtureRequest) -> VisionTransformer:
    narrow = {"width": 128, "heads": 2} if "vitg" in request.param else {}
    return small(request.param, **narrow)


@pytest.fixture(params=["torch", "openvino"])
def engine_of(request: pytest.FixtureRequest):
    """`engine_of(vit, dtype)`."""
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")

    def build(vit: VisionTransformer, dtype: torch.dtype) -> BackboneEngine:
        if request.param == "openvino" and dtype == torch.bfloat16 and not HAS_BFLOAT16:
            pytest.skip("this processor has no bfloat16, which OpenVINO then refuses")
        return build_engine(Choice(request.param, dtype, ""), vit, BLOCKS, threads=1)

    return build


def frame(size_hw: tuple[int, int], seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, *size_hw, 3), dtype=torch.uint8, generator=draw)


def reference(vit: VisionTransformer, pixels: Tensor) -> list[Tensor]:
    tokens, kept = vit(normalise(pixels, torch.float32), BLOCKS)
    return [tokens, *(kept[block] for block in BLOCKS)]


@pytest.mark.slow
@pytest.mark.parametrize("size_hw", SIZES_HW)
def test_float32_agrees_with_the_plain_model(vit, engine_of, size_hw):
    pixels = frame(size_hw)
    tokens, kept = engine_of(vit, torch.float32)(pixels)

    assert tuple(kept) == BLOCKS
    for got, want in zip((tokens, *kept.values()), reference(vit, pixels), strict=True):
        assert got.dtype == torch.float32
        torch.testing.assert_close(got, want, rtol=EXACT, atol=EXACT)


def test_bfloat16_stays_close(vit, engine_of):
    pixels = frame((70, 98))
    tokens, kept = engine_of(vit, torch.bfloat16)(pixels)

    for got, want in zip((tokens, *kept.values()), reference(vit, pixels), strict=True):
        assert got.dtype == torch.float32
        assert torch.cosine_similarity(got, want, dim=2).min() > ROUNDED


def test_torch_without_packed_products_agrees_too(vit, monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    pixels = frame((70, 98))
    want = reference(vit, pixels)
    for dtype, near in ((torch.float32, 1 - 1e-6), (torch.bfloat16, ROUNDED)):
        engine = build_engine(Choice("torch", dtype, ""), vit, BLOCKS, threads=1)
        assert "plain" in engine.identity
        tokens, kept = engine(pixels)
        for got, exact in zip((tokens, *kept.values()), want, strict=True):
            assert torch.cosine_similarity(got, exact, dim=2).min() > near


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_threads_change_no_bit(vit, engine_of, dtype):
    frames = [frame((70, 98), seed) for seed in range(6)]
    alone = engine_of(vit, dtype)
    want = [alone(pixels)[0] for pixels in frames]
    shared = engine_of(vit, dtype)
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda pixels: shared(pixels)[0], frames * 3))

    assert all(torch.equal(a, b) for a, b in zip(got, want * 3, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_batch_mates_change_no_bit(vit, engine_of, dtype):
    frames = torch.cat([frame((70, 98), seed) for seed in range(3)])
    engine = engine_of(vit, dtype)
    want = [engine(pixels) for pixels in frames.split(1)]
    for _ in range(2):  # so many for the first time, and once they are known
        tokens, kept = engine(frames)
        for row, (own, own_kept) in enumerate(want):
            assert torch.equal(tokens[row : row + 1], own)
            assert all(torch.equal(kept[block][row : row + 1], own_kept[block]) for block in BLOCKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_a_frame_on_several_cores_says_so_in_its_identity(vit, name):
    if name == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")
    choice = Choice(name, torch.float32, "")
    one, two = (
        build_engine(choice, vit, BLOCKS, threads=1, cores=cores) for cores in (1, 2)
    )  # fmt: skip
    assert two.identity == f"{one.identity}, on 2 cores"
    torch.testing.assert_close(two(frame((70, 98)))[0], one(frame((70, 98)))[0], atol=EXACT, rtol=0)


def test_what_can_change_a_bit_is_in_the_identity(vit, engine_of):
    names = {engine_of(vit, dtype).identity for dtype in (torch.float32, torch.bfloat16)}

    assert len(names) == 2
    assert engine_of(vit, torch.float32).identity in names


def test_torchs_identity_says_where_sums_are_made(monkeypatch):
    vit, names = small("dinov2_vitti14"), []
    for capability in ("AVX512", "AVX2"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda one=capability: one)
        names.append(build_engine(Choice("torch", torch.float32, ""), vit, (), threads=1).identity)
    rounded = build_engine(Choice("torch", torch.bfloat16, ""), vit, (), threads=1).identity

    assert names[0].endswith(", folded, packed float32")  # as it was: its bits are, too
    assert names[1].endswith(", folded, packed float32 apart")
    assert rounded.endswith(", stream float32")


@pytest.mark.slow
def test_the_model_is_left_as_it_was(engine_of):
    vit = small("dinov2_vitti14")
    before = {name: tensor.clone() for name, tensor in vit.state_dict().items()}
    engine_of(vit, torch.float32)(frame((28, 28)))

    assert all(torch.equal(tensor, before[name]) for name, tensor in vit.state_dict().items())


@pytest.mark.slow
def test_tokens_outlive_the_next_frame(engine_of):
    engine = engine_of(small("dinov2_vitti14"), torch.float32)
    first = engine(frame((28, 28), 1))[0]
    copy = first.clone()
    engine(frame((28, 28), 2))

    assert torch.equal(first, copy)


class _SignalStack(ctypes.Structure):
    """stack_t of <signal.h> on Linux."""

    _fields_ = (("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


def test_the_stack_for_signals_is_there_when_an_engine_went_in_another_thread(engine_of):
    engines = [engine_of(small("dinov2_vitti14"), torch.float32)]
    engines[0](frame((28, 28)))
    with ThreadPoolExecutor(1) as other:
        other.submit(engines.clear)
        other.submit(gc.collect)  # it is its own neighbour in a ring
    stack = _SignalStack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))

    mapped = [
        line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines()
    ]
    assert stack.pointer is None or any(
        int(first, 16) <= stack.pointer < int(end, 16) for first, end in mapped
    )


@pytest.mark.slow
def test_openvino_tells_nobody_and_leaves_nothing_in_the_home(tmp_path):
    pytest.importorskip("openvino", reason="the extra cpu is not installed")
    code = (
        "import sys, operators.backbones.engines.openvino_library as one;"
        "loaded = [name for name in sys.modules if name.startswith('openvino_telemetry.')];"
        "sys.exit(repr(loaded) if loaded else 0)"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)

    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
