"""Finding by masks on a card that is not there: all stays on it, and no number is waited for."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from kernels import attention, device
from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.engines import last_blocks
from operators.detect.build import build_detect
from operators.frames import Features
from operators.weights.head_request import HeadRequest

CUDA = torch.device("cuda", 0)
BATCH, GRID = 3, (4, 6)


def test_a_batch_is_computed_on_the_card_alone(monkeypatch, frame) -> None:
    monkeypatch.setattr(device, "_probed", lambda where: True)
    path = attention.AttentionPath("triton", "as if there were a card")
    monkeypatch.setattr(attention, "_announced_path", lambda where, head_dim: path)
    monkeypatch.setattr(last_blocks, "architecture", lambda where: 90)
    arch = replace(ARCHITECTURES["eomt_small_640"], depth=2, width=64, heads=1)
    request = HeadRequest("detect", arch, "a" * 64, random_seed=0)
    detect = build_detect({"masks": True}, request)
    with FakeTensorMode(allow_non_fake_inputs=True):
        detect.load(CUDA, torch.float32)
        patches = torch.empty(BATCH, *GRID, arch.width, device=CUDA)
        cls, registers = torch.empty(BATCH, 64, device=CUDA), torch.empty(BATCH, 4, 64, device=CUDA)
        infos = tuple(frame(number) for number in range(BATCH))
        features = Features(infos, cls, patches, {1: (patches, cls)}, registers={1: registers})
        numbers = detect.computed(features, slice(0, BATCH))
    assert [tuple(one.shape) for one in numbers] == [
        (3, 100, 4),
        (3, 100),
        (3, 100),
        (3, 100, 16, 24),
    ]
    assert {one.device for one in numbers} == {CUDA}
    assert numbers[3].dtype == torch.bool
