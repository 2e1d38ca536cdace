"""What has to be reached, per device, model and size."""

import pytest
import torch

from operators.backbones.architectures import architecture
from operators.backbones.machine import Machine
from operators.bench.goals import EAGER, GRAPH, SDPA, SDPA_FLOAT32, least_ratios, least_share
from operators.bench.task import Task


def task(model, side, batch, device="cuda"):
    return Task(architecture(model), side, batch, torch.device(device), 2)


@pytest.mark.parametrize(
    ("model", "side", "batch", "ratio", "share"),
    [
        ("dinov2_vits14", 518, 32, 1.5, 0.50),
        ("dinov2_vitg14", 518, 32, 1.2, 0.72),
        ("dinov2_vits14", 224, 256, None, 0.40),
        ("dinov2_vits14", 224, 8, 2.0, None),
        ("dinov2_vitl14", 224, 8, None, None),
        ("dinov2_vitti14", 518, 32, None, None),
    ],
)
def test_a_gpus(model, side, batch, ratio, share):
    assert least_ratios(task(model, side, batch)).get((GRAPH, SDPA)) == ratio
    assert least_share(task(model, side, batch)).get(GRAPH) == share


@pytest.mark.parametrize(
    ("features", "to_eager", "to_sdpa"),
    [
        (("avx2", "avx512f", "avx512_bf16", "amx_bf16"), 2.3, None),
        (("avx2", "avx512f", "avx512_bf16"), None, None),
        (("avx2",), None, 1.05),
    ],
)
def test_a_cpus_are_for_one_model_and_by_what_it_multiplies(
    monkeypatch, features, to_eager, to_sdpa
):
    machine = Machine("Linux x86_64", "a processor", "GenuineIntel", features, 2, None)
    monkeypatch.setattr("operators.bench.goals.this_machine", lambda: machine)
    found = least_ratios(task("dinov2_vits14", 224, 8, "cpu"))
    assert found.get(("ours, torch bfloat16", EAGER)) == to_eager
    assert found.get(("ours, torch float32", SDPA_FLOAT32)) == to_sdpa
    assert least_ratios(task("dinov2_vitb14", 224, 8, "cpu")) == {}
    assert least_share(task("dinov2_vits14", 224, 8, "cpu")) == {}
