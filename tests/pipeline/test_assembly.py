"""What enters a record's identity when an engine is put together, and what stays out of it."""

from __future__ import annotations

import pytest

from pipeline.assembly import assemble
from pipeline.resolve import resolve

OPERATORS = ["depth", "segmentation", "classify", "action", "embedding", "pca"]
ALL = {
    *("depth", "depth.summary", "segmentation", "segmentation.summary", "classify", "action"),
    *("action.episodes", "embedding", "pca"),
}


def variants(*overrides: str) -> dict[str, str]:
    values = {"weights": "random", "model": "dinov2_vitti14", "operators": OPERATORS}
    assembly = assemble(resolve(None, values, overrides))
    assembly.engine.close()
    return dict(assembly.identity.variants)


@pytest.fixture(scope="module")
def usual() -> dict[str, str]:
    return variants()


def test_every_topic_has_a_variant_of_its_own(usual: dict[str, str]) -> None:
    assert usual.keys() == ALL
    assert len(set(usual.values())) == len(ALL)


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
    ],
)
def test_what_can_change_a_payload_makes_other_records(
    usual: dict[str, str], override: str, changed: set[str]
) -> None:
    got = variants(override)
    assert {topic for topic in ALL if got[topic] != usual[topic]} == changed


def test_on_a_cpu_neither_batch_size_nor_threads_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert variants("batch_size=3", "threads=2") == variants()
