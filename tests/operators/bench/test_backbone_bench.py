"""Every way to run a backbone is held to the plain model's tokens before it is timed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from operators.backbones.architectures import architecture
from operators.bench import backbone
from operators.bench.backbone import Settings, measure
from operators.bench.contestant import Absent, Contestant
from operators.bench.gate import GateRed
from operators.bench.report import backbone_report_lines

SETTINGS = Settings(
    architecture("dinov2_vitti14"), torch.device("cpu"), ((28, 2),), rounds=2, compiled=False
)


@pytest.fixture(autouse=True)
def _peers_are_here():
    pytest.importorskip("transformers", reason="nothing to compare with")
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_ours_and_the_peers_say_the_same_and_are_timed_in_turns():
    kept, told = [], []
    report = measure(SETTINGS, told.append, kept.append)
    (task,) = report["tasks"]

    assert {"Hugging Face, eager float32", "ours, torch float32"} <= set(task["seconds"])
    assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in task["seconds"].values())
    assert task["least_cosine"]["ours, torch float32"] > 0.99999
    assert set(task["least_cosine"]) == set(task["seconds"])
    (ratio,) = [
        one
        for one in task["ratios"]
        if one["name"] == "28x2: ours, torch float32; beside Hugging Face, eager float32"
    ]
    ours, theirs = (
        task["seconds"][name] for name in ("ours, torch float32", "Hugging Face, eager float32")
    )
    assert ratio["values"] == [slow / fast for slow, fast in zip(theirs, ours, strict=True)]
    assert kept == [report]
    assert told[-1] == "28x2: round 2 of 2"
    text = "\n".join(backbone_report_lines(report))
    share = task["shares"][0]
    share |= {"goal": 2.0, "met": False}
    assert any(line.startswith(f"| {share['name']} ") for line in backbone_report_lines(report))
    assert "dinov2_vitti14, seeded weights, cpu" in text
    assert f"| {ratio['name']}" in text


@pytest.mark.slow
@pytest.mark.parametrize("spoilt", ["sign", "frames", "nan"])
def test_who_computes_something_else_ends_it_before_a_figure(monkeypatch, spoilt):
    lies = {
        "sign": lambda tokens: tokens.flip(2),
        "frames": lambda tokens: tokens[:1],
        "nan": lambda tokens: tokens.fill_(torch.nan),
    }

    def ours(task, *, compiled):
        for one in original(task, compiled=compiled):
            if isinstance(one, Absent) or one.name != "ours, torch float32":
                yield one
            else:
                yield replace(
                    one, tokens=lambda given, true=one.tokens: lies[spoilt](true(given).clone())
                )

    original = backbone.our_contestants
    monkeypatch.setattr(backbone, "our_contestants", ours)
    kept: list[object] = []
    with pytest.raises(GateRed, match="ours, torch float32"):
        measure(SETTINGS, lambda text: None, kept.append)
    assert kept == []


@pytest.mark.slow
def test_who_is_not_here_is_named_with_the_reason(monkeypatch):
    def ours(task, *, compiled):
        yield Absent("ours, int8", "no such instructions")
        yield Contestant(
            "ours, plain", lambda: backbone._truth(task), lambda one: one.expand(2, -1, -1),
            torch.float32, 0.0,
        )  # fmt: skip

    monkeypatch.setattr(backbone, "our_contestants", ours)
    report = measure(SETTINGS, lambda text: None)
    assert report["tasks"][0]["absent"]["ours, int8"] == "no such instructions"
    assert "not here: ours, int8: no such instructions" in backbone_report_lines(report)
