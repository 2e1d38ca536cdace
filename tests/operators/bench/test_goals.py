"""What has to be reached, per device, model and size."""

import pytest
import torch

from operators.backbones.architectures import architecture
from operators.backbones.machine import this_machine
from operators.bench.goals import EAGER, GRAPH, SDPA, least_ratios, least_share
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


def test_a_cpus_are_for_one_model_and_for_bfloat16():
    rounds = bool({"avx512_bf16", "amx_bf16"} & set(this_machine().features))
    found = least_ratios(task("dinov2_vits14", 224, 8, "cpu"))
    assert found.get(("ours, torch bfloat16", EAGER)) == (2.3 if rounds else None)
    assert least_ratios(task("dinov2_vitb14", 224, 8, "cpu")) == {}
    assert least_share(task("dinov2_vits14", 224, 8, "cpu")) == {}
