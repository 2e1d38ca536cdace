"""What enters a record's identity when an engine is put together, and what stays out of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operators.backbones.machine import this_machine
from operators.errors import UsageError
from operators.track.operator import Tracking
from operators.track.tracker import Rules
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.engine.assembly import _joined, assemble

OPERATORS = ["depth", "segmentation", "classify", "action", "embedding", "pca", "frames"]
ALL = {
    *("depth", "depth.summary", "segmentation", "segmentation.summary", "classify", "action"),
    *("action.episodes", "embedding", "pca", "frames"),
}


def variants(*overrides: str) -> dict[str, str]:
    values = {"weights": "random", "model": "dinov2_vitti14", "operators": OPERATORS}
    config = resolve(None, values | {"sources": ["synthetic:room"]}, overrides)
    assembly = assemble(config)
    assembly.engine.close()
    (spec,) = stream_specs(config, live=False)
    of = assembly.identity.variants(spec)
    return {topic: hash_ for own in of.values() for topic, hash_ in own.items()}


@pytest.fixture(scope="module")
def usual() -> dict[str, str]:
    return variants()


@pytest.mark.slow
def test_every_topic_has_a_variant_of_its_own(usual: dict[str, str]) -> None:
    assert usual.keys() == ALL
    assert len(set(usual.values())) == len(ALL)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("seed=1", ALL),
        ("short_side=56", ALL),
        ("sampling.fps=2", {"action", "action.episodes", "pca"}),
        ("operators.depth.map_scale=2", {"depth", "depth.summary"}),
        ("operators.segmentation.scales=2", {"segmentation", "segmentation.summary"}),
        ("operators.classify.top=3", {"classify"}),
        ("operators.classify.threshold=0.5", {"classify"}),
        ("operators.action.leave=0.5", {"action", "action.episodes"}),
        ("operators.action.threshold=0.4", {"action", "action.episodes"}),
        ("operators.pca.memory=5", {"pca"}),
        ("operators.pca.background=coloured", {"pca"}),
        ("operators.frames.quality=50", {"frames"}),
        ("operators.frames.blur=[person]", {"frames"}),
    ],
)
def test_what_can_change_a_payload_makes_other_records(
    usual: dict[str, str], override: str, changed: set[str]
) -> None:
    got = variants(override)
    assert {topic for topic in ALL if got[topic] != usual[topic]} == changed


@pytest.mark.slow
def test_on_a_cpu_neither_batch_size_nor_threads_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert variants("batch_size=3", "threads=2") == variants()


@pytest.mark.slow
def test_a_cpu_refuses_what_is_asked_of_a_gpus_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="heads_precision tf32 is for NVIDIA GPUs"):
        variants("heads_precision=tf32")


@pytest.mark.slow
def test_another_cpu_makes_other_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    seen = []
    for features in (("avx2",), ("avx2", "avx512f")):
        machine = replace(this_machine(), features=features)
        monkeypatch.setattr("pipeline.engine.assembly.this_machine", lambda one=machine: one)
        seen.append(variants())
    assert all(seen[0][topic] != seen[1][topic] for topic in ALL)


@pytest.mark.parametrize(
    ("name", "value"),
    [("ONEDNN_MAX_CPU_ISA", "AVX2"), ("DNNL_DEFAULT_FPMATH_MODE", "BF16")],
)
def test_so_does_a_library_told_to_round_otherwise(
    usual: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setenv(name, value)
    got = variants()
    assert all(got[topic] != usual[topic] for topic in ALL)


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("deadletter_picture=true", "deadletter_picture shows frames as they are, and .*person"),
        ("operators={frames: {blur: [person]}}", "what finds person is segmentation, which does"),
        ("operators.frames.blur=[prson]", "label set ade20k has no class 'prson'; near it are per"),
    ],
)
def test_nothing_runs_that_would_show_what_is_to_be_hidden(override: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        variants("operators.frames.blur=[person]", override)


def test_who_reads_an_operator_without_a_head_hears_that() -> None:
    tracking = Tracking(Rules(), "bottom")
    missing = {"detect": "detect does not run: it has no head; give one"}
    config = resolve(None, {"weights": "random", "sources": ["synthetic:room"]})
    with pytest.raises(UsageError, match="it tracks is found by detect; detect does not run: it h"):
        _joined({"track": tracking}, missing, config)
    with pytest.raises(UsageError, match="found by detect, which does not run in this job; add"):
        _joined({"track": tracking}, {}, config)
