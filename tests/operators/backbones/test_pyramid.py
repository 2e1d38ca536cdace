"""A pyramid behind `Features`: grids and widths of its own, and what refuses to read them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.archive.layout import Layout
from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.backbones.engines.engine import BackboneEngine
from operators.backbones.engines.swin_engine import SwinEngine, choose_swin_engine, in_words
from operators.backbones.precision import Precision
from operators.backbones.preprocess import normalise
from operators.backbones.start import start_backbone
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch
from operators.registry import build_operator
from operators.result import PNG
from operators.vector.frame_vector import FrameVector
from operators.vector.own_blocks import tail_start
from operators.weights.heads import Head
from operators.weights.load import load_backbone
from tests.operators.swin_twin import SMALL

CPU, GPU = torch.device("cpu"), torch.device("cuda")
SIZE_HW = (96, 160)  # 3 by 5 patches
ONE_GRID = "wants blocks of one grid and one width; swin_256 is a pyramid"


@pytest.fixture(scope="module")
def loaded():
    return load_backbone(SMALL, "random", seed=3)


@pytest.fixture
def batch(frame) -> FrameBatch:
    draw = np.random.default_rng(5)
    pixels = draw.integers(0, 256, (3, *SIZE_HW, 3), dtype=np.uint8)
    return FrameBatch(tuple(frame(number) for number in range(3)), pixels)


def test_every_stage_has_its_own_grid_and_width(loaded, batch):
    backbone = Backbone(loaded, blocks=range(4), batch_size=4)
    seen = backbone(batch)
    tokens, kept = loaded.model(normalise(torch.from_numpy(batch.pixels), torch.float32), range(4))
    backbone.close()

    assert (seen.patches.shape, seen.cls.shape) == ((4, 3, 5, 256), (4, 256))
    assert {stage: (tuple(p.shape), tuple(c.shape)) for stage, (p, c) in seen.layers.items()} == {
        0: ((4, 24, 40, 32), (4, 32)),
        1: ((4, 12, 20, 64), (4, 64)),
        2: ((4, 6, 10, 128), (4, 128)),
        3: ((4, 3, 5, 256), (4, 256)),
    }
    assert seen.registers is None
    torch.testing.assert_close(seen.patches[:3].flatten(1, 2), tokens[:, 1:], rtol=0, atol=1e-5)
    for stage, (patches, cls) in seen.layers.items():
        want = kept[stage]
        torch.testing.assert_close(patches[:3].flatten(1, 2), want[:, 1:], rtol=0, atol=1e-5)
        torch.testing.assert_close(cls[:3], patches[:3].mean((1, 2)), rtol=0, atol=1e-5)
    torch.testing.assert_close(seen.cls[:3], seen.patches[:3].mean((1, 2)), rtol=0, atol=1e-5)


def test_neither_mates_nor_slots_nor_threads_change_a_bit(loaded, batch):
    together = Backbone(loaded, blocks=(0, 3), batch_size=3, threads=2)
    alone = Backbone(loaded, blocks=(0, 3), batch_size=3)
    for _ in range(2):  # frames go together once they have been shown to be the same
        seen = together(batch)
    for row in range(3):
        own = alone(FrameBatch(batch.infos[row : row + 1], batch.pixels[row : row + 1]))
        assert torch.equal(own.cls[0], seen.cls[row])
        assert torch.equal(own.patches[0], seen.patches[row])
        for stage in (0, 3):
            assert torch.equal(own.layers[stage][0][0], seen.layers[stage][0][row])
    picked = seen.take([2, 0])
    assert torch.equal(picked.layers[0][0][0], seen.layers[0][0][2])
    assert together.identity == alone.identity
    assert f"torch {torch.__version__}, swin, float32" in together.identity
    together.close()
    alone.close()


def test_a_frame_is_seen_again_at_another_size(loaded, batch):
    backbone = Backbone(loaded, blocks=(1,), batch_size=3)
    again = backbone(batch).again(1, (6, 10), mirrored=True)
    backbone.close()
    assert again.patches.shape == (1, 6, 10, 256)
    assert again.layers[1][0].shape == (1, 24, 40, 64)


def test_operators_of_one_map_read_it(loaded, batch):
    known = {"architecture": SMALL, "backbone_sha256": loaded.sha256, "random_seed": 0}
    names = ("embedding", "pca", "classify", "action", "anomaly", "segmentation", "depth")
    operators = {name: build_operator(name, {}, **known) for name in names}
    blocks = [block for one in operators.values() for block in one.layers]
    backbone = start_backbone(loaded, blocks=blocks, batch_size=3, threads=1)
    features = backbone(batch)
    results = []
    for one in operators.values():
        one.load(CPU, torch.float32)
        results += one(features)
    backbone.close()

    assert {result.operator.partition(".")[0] for result in results} == set(names) - {"action"}
    maps = [result.data for result in results if result.content_type == PNG]
    sizes = {tuple(int.from_bytes(png[at : at + 4]) for at in (20, 16)) for png in maps}
    assert (12, 20) in sizes, "4 cells a side of a patch"


def test_detect_refuses_it(loaded):
    known = {"architecture": SMALL, "backbone_sha256": loaded.sha256, "random_seed": 0}
    with pytest.raises(UsageError, match=f"detect {ONE_GRID}, .* or a DINOv2"):
        build_operator("detect", {}, **known)


@pytest.mark.parametrize(
    ("operator", "tensors"),
    [
        (
            "depth",
            {
                "decode_head.conv_depth.weight": torch.zeros(256, 4 * 2 * 256, 1, 1),
                "decode_head.conv_depth.bias": torch.zeros(256),
            },
        ),
        ("segmentation", {"decode_head.conv_seg.weight": torch.zeros(21, 4 * 256, 1, 1)}),
    ],
)
def test_heads_over_four_blocks_are_refused(operator, tensors, monkeypatch, loaded):
    facts = {"domain": "nyu", "labelset": "voc2012"}
    head = Head(operator, "mine.safetensors", tensors, "0" * 64, facts)
    monkeypatch.setattr(Head, "check", lambda *_: None)
    for module in ("operators.depth.operator", "operators.segmentation.operator"):
        monkeypatch.setattr(f"{module}.trained_head", lambda _: head)
    with pytest.raises(UsageError, match=f"4 blocks {ONE_GRID}"):
        build_operator(
            operator, {}, architecture=SMALL, backbone_sha256=loaded.sha256, head="mine.safetensors"
        )


@pytest.mark.parametrize(
    ("what", "ask"),
    [
        ("a vector of 2 class tokens", lambda: FrameVector(2).layers(SMALL)),
        ("fine-tuning of last blocks", lambda: tail_start(SMALL, 1)),
        ("keeping features", lambda: Layout.of_model((3,), SMALL, 8)),
    ],
)
def test_what_reads_or_runs_several_blocks_refuses_it(what, ask):
    with pytest.raises(UsageError, match=f"{what} {ONE_GRID}"):
        ask()
    assert FrameVector(1).layers(SMALL) == ()


@pytest.mark.parametrize(
    ("wish", "device", "heads", "message"),
    [
        ("openvino", CPU, Precision.FLOAT32, "got the engine 'openvino'; take auto or torch"),
        ("openvino-int8", CPU, Precision.FLOAT32, "got the engine 'openvino-int8'"),
        ("auto", GPU, Precision.FLOAT32, "would run on cuda; take a DINOv2, or hide the GPU"),
        ("auto", CPU, Precision.TF32, "heads_precision tf32 is a GPU's; leave it out"),
    ],
)
def test_other_engines_are_refused_with_the_reason(wish, device, heads, message):
    own = "swin_256 is run by torch in float32 on CPUs alone"
    with pytest.raises(UsageError, match=f"{own}.*{message}"):
        choose_swin_engine(SMALL, wish, device, heads)


def test_doctor_is_told_where_it_runs():
    assert in_words(CPU) == "Swin: torch in float32"
    assert in_words(GPU) == "Swin: not on cuda"


def test_its_engine_is_one(loaded):
    engine: BackboneEngine = SwinEngine(loaded.model, (), cores=2)
    assert engine.identity.endswith("swin, float32, on 2 cores")
    with pytest.raises(UsageError, match="our engine of GPUs takes vision transformers, swin_256"):
        loaded.vit("our engine of GPUs")


def test_an_official_head_of_maps_is_answered_with_what_there_is():
    with pytest.raises(WeightsError, match="no official depth head 'nyu-dpt' for swin_tiny"):
        build_operator(
            "depth",
            {},
            architecture=architecture("swin_tiny_patch4_window7_224"),
            backbone_sha256="0" * 64,
            head="nyu-dpt",
        )
