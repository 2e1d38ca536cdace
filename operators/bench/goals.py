"""What our ways to run the backbone have to reach, as the project set it before it measured.

A task -> least ratios to peers, and least shares of the matrix rate. Where nothing was set for a
machine or a size, nothing is promised.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from operators.backbones.engines.choice import choose_engine
from operators.backbones.machine import Machine, this_machine
from operators.bench.task import Task

EAGER = "Hugging Face, eager float32"
SDPA = "Hugging Face, sdpa bfloat16"
SDPA_FLOAT32 = "Hugging Face, sdpa float32"
COMPILED = f"{SDPA}, torch.compile"
PLAIN_SDPA = "plain torch, sdpa bfloat16"  # where there is no transformers
PLAIN_COMPILED = f"{PLAIN_SDPA}, torch.compile"
EXPORTED = "OpenVINO of the export, bfloat16"
GRAPH = "ours, CUDA graph"

Pair = tuple[str, str]

# Two cores that multiply in bfloat16, ViT-S: (side, batch) -> pair -> ratio.
_ON_CPU: Mapping[tuple[int, int], Mapping[Pair, float]] = {
    (224, 8): {
        ("ours, torch bfloat16", EAGER): 2.3,
        ("ours, torch bfloat16", COMPILED): 1.1,
        ("ours, openvino bfloat16", EAGER): 2.9,
        ("ours, openvino bfloat16", EXPORTED): 1.0,
        ("ours, openvino-int8 bfloat16", EAGER): 3.8,
    },
    (518, 1): {
        ("ours, torch bfloat16", EAGER): 3.3,
        ("ours, torch bfloat16", COMPILED): 1.1,
        ("ours, openvino bfloat16", EAGER): 5.5,
        ("ours, openvino bfloat16", EXPORTED): 1.0,
        ("ours, openvino-int8 bfloat16", EAGER): 6.0,
    },
}
# Two cores with AVX2 alone, which multiply in float32, ViT-S.
_WITH_AVX2: Mapping[tuple[int, int], Mapping[Pair, float]] = {
    (224, 8): {
        ("ours, torch float32", SDPA_FLOAT32): 1.05,
        ("ours, openvino float32", SDPA_FLOAT32): 1.08,
    },
    (518, 1): {
        ("ours, torch float32", SDPA_FLOAT32): 1.05,
        ("ours, openvino float32", SDPA_FLOAT32): 1.15,
    },
}
# An H200: the model's letter -> ratio or share.
_TO_SDPA_518 = {"s": 1.5, "b": 1.3, "l": 1.2, "g": 1.2}
_TO_COMPILED_518 = {"s": 1.1, "b": 1.05, "l": 1.05}
_TO_SDPA_FEW_224 = {"s": 2.0}
_FEW = 8
_SHARES = {
    518: {"s": 0.50, "b": 0.60, "l": 0.68, "g": 0.72},
    224: {"s": 0.40, "b": 0.58, "l": 0.66, "g": 0.72},
}


def least_ratios(task: Task) -> Mapping[Pair, float]:
    """(ours, peer) -> how many times as fast ours has to be."""
    if task.device.type == "cpu":
        return _of_cpu(task, this_machine()) if task.arch.name == "dinov2_vits14" else {}
    letter, eager, compiled = _letter(task), None, None
    if task.side == 518:
        eager, compiled = _TO_SDPA_518.get(letter), _TO_COMPILED_518.get(letter)
    elif task.side == 224 and task.batch <= _FEW:
        eager = _TO_SDPA_FEW_224.get(letter)
    ratios = {SDPA: eager, PLAIN_SDPA: eager, COMPILED: compiled, PLAIN_COMPILED: compiled}
    return {(GRAPH, peer): ratio for peer, ratio in ratios.items() if ratio is not None}


def least_share(task: Task) -> Mapping[str, float]:
    """Ours -> share of the matrix rate; of large batches, which alone can fill a GPU."""
    share = _SHARES.get(task.side, {}).get(_letter(task))
    large = task.device.type == "cuda" and task.batch > _FEW
    return {GRAPH: share} if large and share else {}


def _of_cpu(task: Task, machine: Machine) -> Mapping[Pair, float]:
    size = (task.side, task.batch)
    if choose_engine("torch", task.device, machine).dtype == torch.bfloat16:
        return _ON_CPU.get(size, {})
    only_avx2 = "avx2" in machine.features and "avx512f" not in machine.features
    return _WITH_AVX2.get(size, {}) if only_avx2 else {}


def _letter(task: Task) -> str:
    return task.arch.name.removeprefix("dinov2_vit")[:1] if "vitti" not in task.arch.name else ""
