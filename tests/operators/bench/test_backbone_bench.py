"""Every way to run a backbone is held to the plain model's tokens before it is timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from operators.backbones.architectures import architecture
from operators.bench import arithmetic, backbone
from operators.bench.backbone import Settings, measure
from operators.bench.contestant import Absent, Contestant
from operators.bench.gate import GateRed
from operators.bench.report import backbone_report_lines
from operators.errors import UsageError

SETTINGS = Settings(
    architecture("dinov2_vitti14"), torch.device("cpu"), ((28, 2),), rounds=2, compiled=False
)


@pytest.fixture(autouse=True)
def _peers_are_here(monkeypatch):
    pytest.importorskip("transformers", reason="nothing to compare with")
    monkeypatch.setitem(arithmetic._SIDE, "cpu", 128)  # nobody holds a rate against another here
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_a_model_with_registers_is_refused():
    for name in ("dinov2_vits14_reg", "dinov3_vits16"):
        with pytest.raises(UsageError, match=f"{name} has registers"):
            measure(replace(SETTINGS, arch=architecture(name)), lambda text: None)


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


@pytest.fixture
def plain_alone(monkeypatch) -> Callable[..., None]:
    """Has nobody there but one that runs the plain model, and whoever is absent."""

    def alone(lie: Callable[[Tensor], Tensor] = lambda tokens: tokens, *absent: Absent) -> None:
        def ours(task):
            yield from absent
            yield Contestant(
                "ours, plain", lambda: backbone._truth(task),
                lambda one: lie(one.repeat(task.batch, 1, 1)), torch.float32, 0.99999,
            )  # fmt: skip

        monkeypatch.setattr(backbone, "our_contestants", ours)
        monkeypatch.setattr(backbone, "peer_contestants", lambda task, compiled: ())

    return alone


@pytest.mark.slow
@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda tokens: tokens.flip(2), id="sign"),
        pytest.param(lambda tokens: tokens[:1], id="frames"),
        pytest.param(lambda tokens: tokens.fill_(torch.nan), id="nan"),
    ],
)
def test_who_computes_something_else_ends_it_before_a_figure(plain_alone, lie):
    plain_alone(lie)
    kept: list[object] = []
    with pytest.raises(GateRed, match="ours, plain"):
        measure(SETTINGS, lambda text: None, kept.append)
    assert kept == []


@pytest.mark.slow
def test_who_is_not_here_is_named_with_the_reason(plain_alone):
    plain_alone(lambda tokens: tokens, Absent("ours, int8", "no such instructions"))
    report = measure(SETTINGS, lambda text: None)
    assert report["tasks"][0]["absent"]["ours, int8"] == "no such instructions"
    assert "not here: ours, int8: no such instructions" in backbone_report_lines(report)
