"""Attention forward and backward beside its peers: everything but the card's own clocks."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch

from kernels import reference
from kernels.backward_tiles import KEY_PASS
from kernels.bench import backward, backward_gate, compiled, timing
from kernels.bench.attention_peers import sdpa
from kernels.bench.backward_peers import pack_peers, run_by_run
from kernels.flash_variants import backward_report
from kernels.tiles import variant_for

CPU = torch.device("cpu")
LENGTHS = (17, 17, 5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_peers_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    found, absent = pack_peers(LENGTHS, CPU, flex=True)
    assert {*found, *absent} == {
        *("sdpa", "sdpa_flash", "sdpa_cudnn", "varlen_attn", "flex_compiled")
    }
    # Without a gradient, which flex attention does not have on a CPU.
    qkv = backward_gate.draw_pack(sum(LENGTHS), 2, torch.float32, CPU)[0].detach()
    truth = reference.packed_attention(qkv, LENGTHS)
    for name in ("sdpa", "sdpa_flash", "flex_compiled"):
        torch.testing.assert_close(found[name](qkv), truth, atol=1e-5, rtol=1e-5)
    _, absent = pack_peers(LENGTHS, CPU, flex=False)
    assert "takes longest to compile" in absent["flex_compiled"]


def test_a_peer_with_another_gradient_is_none() -> None:
    example = backward_gate.draw_pack(sum(LENGTHS), 1, torch.bfloat16, CPU)
    ours = partial(run_by_run, sdpa, lengths=LENGTHS)
    known = {"sdpa": ours, "half": lambda qkv: ours(qkv) / 2, "none": lambda qkv: qkv.sum().item()}
    agreeing, wrong = backward._agreeing(known, ours, example)
    assert list(agreeing) == ["sdpa"]
    assert wrong["half"].startswith("its gradient is another: relative error 0.5")
    assert "none" in wrong


def test_the_gate_is_green_where_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backward_gate, "GATE_PACKS", ((1, 17),))
    monkeypatch.setattr(backward_gate, "PACK", LENGTHS)
    with torch.inference_mode():
        checks = list(backward_gate.backward_checks(CPU))
    assert [check for check in checks if not check["passed"]] == []
    assert len(checks) == 3 * 2 + 4
    assert not torch.are_deterministic_algorithms_enabled()


def test_everything_but_the_graphs_runs_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def record(run: Callable[[Any], object], inputs: list[Any]) -> int:
        run(inputs[0])
        return len(inputs)

    monkeypatch.setattr(timing, "capture", record)
    monkeypatch.setattr(timing, "replay_us", lambda n_inputs: 3.0 * n_inputs)
    monkeypatch.setattr(timing, "_clocks_under", lambda graph: None)
    tiny = backward.Workload("tiny", LENGTHS, 2, {"sdpa": 1.0, "nobody": 1.0})
    monkeypatch.setattr(backward, "WORKLOADS", (tiny,))
    with torch.inference_mode():
        (row,) = backward.backward_rows(2, CPU)
    assert row["workload"] == "tiny, 2x17 + 1x5, A=2"
    assert row["us"].keys() >= {"triton", "sdpa"}
    own, *others = row["figures"]
    flop = 7 * 2 * (2 * 17**2 + 5**2) * 64 * 2
    assert own["value"] == pytest.approx(flop / 3e6)
    met = {one["beside"]: one["met"] for one in others}
    assert met["sdpa"]
    assert met["nobody"] is None


@pytest.mark.slow
def test_a_compiled_pass_is_sound_until_it_spills() -> None:
    row = next(row for row in KEY_PASS if (row.arch, row.element_bytes) == (90, 2))
    variant = variant_for(257, row.tile, 64)
    report = backward_report("keys", variant, arch=90, dtype=torch.bfloat16)
    said = compiled.describe_backward("keys", row, variant, report)
    assert said["sound"]
    assert said["kernel"] == "gradient of keys"
    assert said["exponentials_for_scores"] == said["scores_in_loop"]
    spilled = replace(report, spill_store_bytes=4)
    assert not compiled.describe_backward("keys", row, variant, spilled)["sound"]
    without_wgmma = replace(report, opcodes={"HMMA": 8})
    assert not compiled.describe_backward("keys", row, variant, without_wgmma)["sound"]
