"""Words on a card that is not there: all stays on it, and no number is waited for."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from kernels import attention, device
from operators.backbones.engines import last_blocks
from operators.frames import Features
from operators.segmentation.operator import build_segmentation
from operators.vector.classify import build_classify
from operators.weights.head_request import HeadRequest
from tests.dinotxt_files import ARCH

CUDA = torch.device("cuda", 0)
BATCH, GRID, WIDTH = 3, (4, 6), ARCH.width


@pytest.mark.parametrize(
    ("build", "shape", "dtype"),
    [
        (build_classify, (BATCH, 3), torch.float32),
        (build_segmentation, (BATCH, 16, 24), torch.uint8),
    ],
)
def test_a_batch_is_computed_on_the_card_alone(monkeypatch, frame, word_head, build, shape, dtype):
    monkeypatch.setattr(device, "_probed", lambda where: True)
    path = attention.AttentionPath("triton", "as if there were a card")
    monkeypatch.setattr(attention, "_announced_path", lambda where, head_dim: path)
    monkeypatch.setattr(last_blocks, "architecture", lambda where: 90)
    name = build.__name__.removeprefix("build_")
    head = word_head("a" * 64, torch.randn(3, 2 * WIDTH))
    operator = build({}, HeadRequest(name, ARCH, "a" * 64, str(head)))
    with FakeTensorMode(allow_non_fake_inputs=True):
        operator.load(CUDA, torch.float32)
        patches = torch.empty(BATCH, *GRID, WIDTH, device=CUDA)
        cls, registers = (torch.empty(BATCH, *own, WIDTH, device=CUDA) for own in ((), (4,)))
        infos = tuple(frame(number) for number in range(BATCH))
        layers = {1: (patches, cls)}
        features = Features(infos, cls, patches, layers, lambda one: one, registers={1: registers})
        first, *_ = operator.computed(features, slice(0, BATCH))
    assert tuple(first.shape) == shape
    assert (first.device, first.dtype) == (CUDA, dtype)
