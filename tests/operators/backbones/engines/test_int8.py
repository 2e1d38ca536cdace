"""The int8 engine: close to the plain model, steady, named by ranges, refused where it harms."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.backbones.engines.choice import INT8, Choice, build_engine
from operators.backbones.engines.engine import BackboneEngine
from operators.backbones.machine import this_machine
from operators.backbones.preprocess import normalise
from operators.backbones.vit import VisionTransformer
from operators.errors import UsageError
from operators.weights.load import load_backbone

pytest.importorskip("openvino", reason="the extra cpu is not installed")
HAS_INT8 = {"avx512_vnni", "avx_vnni", "amx_int8"} & set(this_machine().features)
pytestmark = pytest.mark.skipif(not HAS_INT8, reason="this processor has no int8 products")

MLP = Architecture("two_blocks", width=128, depth=2, heads=2, registers=1)
SWIGLU = Architecture("two_gates", width=128, depth=2, heads=2, ffn="swiglu")


def model(arch: Architecture = MLP, seed: int = 0) -> VisionTransformer:
    """Seeded; its layers weigh against the residual stream as those of a wider one do."""
    vit = load_backbone(arch, "random", seed=seed).model
    for weight in vit.blocks.parameters():
        if weight.ndim == 2:
            weight.mul_(4)
    return vit


def engine_of(vit: VisionTransformer, threads: int = 1, name: str = INT8) -> BackboneEngine:
    choice = Choice(name, torch.float32, "")
    return build_engine(choice, vit, (0,), threads=threads, weights="seeded ones")


def frame(seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, 70, 98, 3), dtype=torch.uint8, generator=draw)


@pytest.mark.parametrize("arch", [MLP, SWIGLU], ids=lambda arch: arch.ffn)
def test_tokens_stay_close_and_the_cosine_is_said_with_the_weights_name(arch, caplog):
    caplog.set_level(logging.INFO, "operators")
    vit = model(arch)
    tokens, kept = engine_of(vit)(frame())
    want, want_kept = vit(normalise(frame(), torch.float32), (0,))

    for got, exact in ((tokens, want), (kept[0], want_kept[0])):
        assert got.dtype == torch.float32
        assert torch.cosine_similarity(got, exact, dim=2).mean() > 0.999
    (said,) = [text for text in caplog.messages if text.startswith("int8: cosine 0.99")]
    assert "measured on seeded ones, 4 drawn frames" in said


def test_every_layer_of_the_blocks_runs_as_int8():
    from operators.backbones.engines.folded import FoldedVit
    from operators.backbones.engines.openvino_graph import openvino_graph
    from operators.backbones.engines.openvino_int8 import int8_linear
    from operators.backbones.engines.openvino_library import core
    from operators.backbones.engines.ranges import measured_ranges

    folded = FoldedVit(model())
    linear = int8_linear(folded, measured_ranges(folded, threads=1))
    compiled = core().compile_model(openvino_graph(folded, (28, 28), (), linear), "CPU")
    facts = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    layers = [
        one["runtimePrecision"].astype(str)
        for one in facts
        if one["layerType"].astype(str) == "FullyConnected"
    ]
    assert sorted(layer in ("i8", "u8") for layer in layers) == [False, *[True] * 12]


def test_threads_change_no_bit():
    vit = model()
    frames = [frame(seed) for seed in range(4)]
    alone = engine_of(vit)
    want = [alone(pixels)[0] for pixels in frames]
    shared = engine_of(vit, threads=3)
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda pixels: shared(pixels)[0], frames * 3))

    assert all(torch.equal(a, b) for a, b in zip(got, want * 3, strict=True))
    assert shared.identity == alone.identity


def test_the_identity_holds_the_ranges():
    vit, other = model(), model()
    other.blocks[1].norm2.weight.mul_(2)  # a layer's input grows

    assert len({engine_of(one).identity for one in (vit, other, model())}) == 2
    assert engine_of(vit, name="openvino").identity != engine_of(vit).identity


def test_weights_that_int8_spoils_are_refused():
    vit = model()
    vit.blocks[0].norm1.weight[3] *= 10_000  # one channel takes all 256 steps
    with pytest.raises(UsageError, match=r"on seeded ones.* is refused: take --backend openvino$"):
        engine_of(vit)
