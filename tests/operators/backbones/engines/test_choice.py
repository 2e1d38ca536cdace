"""Which engine is taken: the wish, the device and the processor decide, and the reason is said."""

from __future__ import annotations

import importlib.machinery

import pytest
import torch

from operators.backbones.engines import choice
from operators.backbones.engines.choice import choose_engine
from operators.backbones.machine import Machine
from operators.backbones.precision import Precision
from operators.errors import UsageError

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def machine(*features: str, vendor: str = "AuthenticAMD") -> Machine:
    return Machine("Linux x86_64", "a processor", vendor, features, 2, None)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):
    """`installed(False)`: as if openvino were not."""

    def set_to(there: bool) -> None:
        spec = importlib.machinery.ModuleSpec("openvino", None) if there else None
        monkeypatch.setattr(choice, "find_spec", lambda name: spec)

    return set_to


def test_auto_takes_openvino_where_it_is_installed(installed):
    installed(True)
    assert choose_engine("auto", CPU, machine("avx2")).name == "openvino"
    installed(False)
    chosen = choose_engine("auto", CPU, machine("avx2"))
    assert chosen.name == "torch"
    assert "pip install openvino" in chosen.why


@pytest.mark.parametrize(
    ("features", "dtype", "said"),
    [
        (("avx2",), torch.float32, "neither avx512_bf16 nor amx_bf16"),
        (("avx2", "avx512f", "avx512_vnni"), torch.float32, "neither"),
        (("avx2", "avx512_bf16"), torch.bfloat16, "has avx512_bf16"),
        (("avx512_bf16", "amx_tile", "amx_bf16"), torch.bfloat16, "has amx_bf16"),
    ],
)
@pytest.mark.parametrize("wish", ["torch", "openvino"])
def test_the_processor_decides_the_dtype(installed, wish, features, dtype, said):
    installed(True)
    chosen = choose_engine(wish, CPU, machine(*features))
    assert (chosen.name, chosen.dtype) == (wish, dtype)
    assert said in chosen.why
    assert "as asked for" in chosen.why


@pytest.mark.parametrize("vendor", ["GenuineIntel", ""])
@pytest.mark.parametrize("wish", ["torch", "openvino"])
def test_intels_bfloat16_is_for_those_with_amx(installed, wish, vendor):
    installed(True)
    vectors = choose_engine(wish, CPU, machine("avx512f", "avx512_bf16", vendor=vendor))
    tiles = choose_engine(wish, CPU, machine("avx512_bf16", "amx_bf16", vendor=vendor))

    assert (vectors.dtype, tiles.dtype) == (torch.float32, torch.bfloat16)
    assert "float32, on this processor faster than bfloat16" in vectors.why


def test_what_cannot_be_had_is_refused(installed):
    installed(False)
    with pytest.raises(UsageError, match="openvino is not installed: pip install openvino"):
        choose_engine("openvino", CPU, machine())
    with pytest.raises(UsageError, match="openvino is for CPUs, this runs on cuda; take auto"):
        choose_engine("openvino", GPU, machine())
    with pytest.raises(
        UsageError, match="must be one of auto, torch, openvino, openvino-int8, got 'onnx'"
    ):
        choose_engine("onnx", CPU, machine())


def test_a_gpu_runs_torch_in_bfloat16(installed):
    installed(True)
    assert choose_engine("auto", GPU, machine()).dtype == torch.bfloat16


@pytest.mark.parametrize("heads", Precision)
def test_heads_of_a_gpu_multiply_as_asked(installed, monkeypatch, heads):
    installed(True)
    monkeypatch.setattr(choice, "architecture", lambda device: 80)
    assert choose_engine("auto", GPU, machine(), heads).heads is heads


@pytest.mark.parametrize("heads", [Precision.TF32, Precision.BFLOAT16])
def test_what_no_processor_multiplies_is_refused(installed, monkeypatch, heads):
    installed(True)
    said = f"heads_precision {heads.value} is for NVIDIA GPUs of compute capability 8.0 and newer, "
    with pytest.raises(UsageError, match=f"{said}this is the cpu; leave it out, or take float32"):
        choose_engine("auto", CPU, machine("avx512_bf16"), heads)
    monkeypatch.setattr(choice, "architecture", lambda device: 75)
    with pytest.raises(UsageError, match=f"{said}this one has 7.5"):
        choose_engine("auto", GPU, machine(), heads)
    monkeypatch.setattr(torch.version, "hip", "7.1")
    with pytest.raises(UsageError, match=f"{said}this is a torch for ROCm"):
        choose_engine("auto", GPU, machine(), heads)


@pytest.mark.parametrize("feature", ["avx512_vnni", "avx_vnni", "amx_int8"])
def test_int8_is_had_by_asking_for_it_alone(installed, feature):
    installed(True)
    chosen = choose_engine("openvino-int8", CPU, machine("avx2", feature))

    assert (chosen.name, chosen.dtype) == ("openvino-int8", torch.float32)
    assert f"int8, this processor has {feature}" in chosen.why
    assert choose_engine("auto", CPU, machine("avx2", feature)).name == "openvino"
    assert choose_engine("openvino-int8", CPU, machine(feature, "avx512_bf16")).dtype == (
        torch.bfloat16
    )


def test_int8_is_refused_where_it_loses_or_cannot_be(installed):
    installed(True)
    with pytest.raises(UsageError, match="this one has avx2, where int8 is slower than float32"):
        choose_engine("openvino-int8", CPU, machine("avx2"))
    with pytest.raises(UsageError, match="openvino-int8 is for CPUs, this runs on cuda"):
        choose_engine("openvino-int8", GPU, machine("avx512_vnni"))
    installed(False)
    with pytest.raises(UsageError, match="openvino-int8 is not installed: pip install openvino"):
        choose_engine("openvino-int8", CPU, machine("avx512_vnni"))
