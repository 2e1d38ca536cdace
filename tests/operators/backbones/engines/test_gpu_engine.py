"""The engine around the model, with streams and graphs of a GPU that is not there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from kernels.attention import AttentionPath
from kernels.tiles import tiles_digest
from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.backbone import Backbone
from operators.backbones.engines import gpu_engine
from operators.backbones.engines.choice import Choice
from operators.backbones.engines.drawn_frames import drawn_frames
from operators.backbones.engines.fused_choice import MOVED
from operators.backbones.engines.gpu_engine import GpuEngine
from operators.backbones.engines.gpu_vit import GpuVit
from operators.backbones.engines.graph_pool import unrecorded
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.precision import Precision
from operators.backbones.vit import VisionTransformer
from operators.frames import FrameBatch, FrameInfo
from operators.weights.load import load_backbone
from tests.operators.backbones.engines.cuda_journal import CudaJournal

CPU = torch.device("cpu")


@pytest.fixture
def vit() -> VisionTransformer:
    return load_backbone(replace(ARCHITECTURES["dinov2_vitti14"], depth=2), "random", seed=3).model


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> CudaJournal:
    """What an engine asks of a card; its tensors are the host's."""
    journal = CudaJournal()
    journal.install(monkeypatch)
    monkeypatch.setattr(gpu_engine, "architecture", lambda device: 90)
    monkeypatch.setattr(gpu_engine, "runs_triton", lambda device: True)
    monkeypatch.setattr(gpu_engine, "recorded", unrecorded)
    return journal


def built(
    vit: VisionTransformer, batch_size: int = 3, dtype: torch.dtype = torch.bfloat16
) -> GpuEngine:
    return GpuEngine(vit, (1,), CPU, dtype, batch_size=batch_size)


def frames(count: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(drawn_frames(seed, count, 42))


@pytest.mark.usefixtures("card")
def test_a_batch_is_the_models_whatever_was_there_before(vit: VisionTransformer) -> None:
    engine = built(vit, dtype=torch.float32)  # in which a CPU rounds alike beside any mates
    run = GpuVit(vit, CPU, torch.float32, tuple(MOVED)).at((42, 42), (1,))
    for seed, count in enumerate((3, 1, 2)):
        tokens, kept = engine(frames(count, seed))
        with torch.inference_mode():
            want, own = run(frames(count, seed))
        assert tokens.shape == kept[1].shape == (3, 10, 192)
        torch.testing.assert_close(tokens[:count], want, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(kept[1][:count], own[1], atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("card")
def test_heads_of_a_gpu_read_and_compute_float32(
    vit: VisionTransformer, frame: Callable[..., FrameInfo]
) -> None:
    """On a device without memory, which is any but the host."""
    loaded = LoadedBackbone(vit, "0" * 64, True, "drawn")
    rounded = Choice("torch", torch.bfloat16, "")
    backbone = Backbone(loaded, blocks=(1,), batch_size=3, device="meta", choice=rounded)
    features = backbone(FrameBatch((frame(0), frame(1)), drawn_frames(0, 2, 42)))
    assert features.precision is Precision.FLOAT32
    assert backbone.identity.endswith(", batch 3, heads float32")
    assert features.cls.dtype == features.layers[1][0].dtype == torch.float32
    assert features.normed(1)[0].device.type == backbone.norm.weight.device.type == "meta"


@pytest.mark.usefixtures("card")
def test_heads_that_round_have_another_identity(
    vit: VisionTransformer, frame: Callable[..., FrameInfo]
) -> None:
    loaded = LoadedBackbone(vit, "0" * 64, True, "drawn")
    asked = Choice("torch", torch.bfloat16, "", Precision.TF32)
    backbone = Backbone(loaded, batch_size=2, device="meta", choice=asked)
    features = backbone(FrameBatch((frame(0),), drawn_frames(0, 1, 42)))
    assert features.precision is Precision.TF32
    assert backbone.identity.endswith(", batch 2, heads tf32")


@pytest.mark.usefixtures("card")
def test_it_says_all_that_can_change_a_bit(vit: VisionTransformer) -> None:
    said = built(vit).identity
    assert said.startswith(f"torch {torch.__version__}, sdpa, fused patches norm add_norm swiglu")
    assert said.endswith("bfloat16, stream float32, in CUDA graphs, batch 3")
    assert built(vit, batch_size=4).identity != said


@pytest.mark.usefixtures("card")
def test_other_tiles_of_attention_are_another_identity(
    vit: VisionTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = AttentionPath("triton", "as if there were a card")
    monkeypatch.setattr(gpu_engine, "attention_path", lambda device, head_dim: path)
    assert f"triton in tiles {tiles_digest(90)}, fused" in built(vit).identity


@pytest.mark.usefixtures("card")
def test_where_triton_does_not_run_plain_torch_does(
    vit: VisionTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_engine, "runs_triton", lambda device: False)
    engine = built(vit)
    assert "fused nothing" in engine.identity
    assert engine(frames(2))[0].isfinite().all()


@pytest.mark.usefixtures("card")
def test_a_model_that_cannot_be_recorded_is_launched_kernel_by_kernel(
    vit: VisionTransformer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Known at the start, since it is in the variant."""

    def refuses(run, pixels):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    monkeypatch.setattr(gpu_engine, "recorded", refuses)
    with caplog.at_level(logging.WARNING):
        engine = built(vit)
    assert "eager" in engine.identity
    assert caplog.messages == [
        "no CUDA graphs on cpu: operation not permitted when stream is capturing"
    ]
    assert engine(frames(2))[0].isfinite().all()


@pytest.mark.usefixtures("card")
def test_a_card_without_memory_is_no_reason_to_do_without_graphs(
    vit: VisionTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(run, pixels):
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(gpu_engine, "recorded", full)
    with pytest.raises(torch.OutOfMemoryError):
        built(vit)
