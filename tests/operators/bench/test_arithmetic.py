"""How much a pass computes, held to what torch counts."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import filled_vit
from operators.bench import arithmetic
from operators.bench.arithmetic import frame_flop, matrix_rate

SMALL = {
    "mlp": Architecture("mlp", width=128, depth=2, heads=2),
    "swiglu": Architecture("swiglu", width=128, depth=2, heads=2, registers=4, ffn="swiglu"),
}


@pytest.mark.parametrize("arch", SMALL.values(), ids=SMALL)
def test_it_is_what_torch_counts(arch):
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        filled_vit(arch, random_tensors(arch, 0))(torch.zeros(1, 3, 56, 56))
    assert frame_flop(arch, 56) == counter.get_total_flops()


@pytest.mark.slow
def test_large_products_have_a_rate(monkeypatch):
    monkeypatch.setitem(arithmetic._SIDE, "cpu", 256)
    assert matrix_rate(torch.device("cpu"), torch.float32, torch.get_num_threads()) > 1e8
