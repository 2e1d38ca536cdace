"""However a backbone for features is opened, freed memory stays with the process."""

from __future__ import annotations

import pytest

from operators.backbones.architectures import architecture
from operators.weights.load import load_backbone
from pipeline.configuration.config import Config
from pipeline.features.backbone import configured_backbone, feature_backbone

MODEL = "dinov2_vitti14"


@pytest.mark.slow
@pytest.mark.parametrize(
    "opened",
    [
        lambda: configured_backbone(Config(model=MODEL, weights="random")),
        lambda: feature_backbone(load_backbone(architecture(MODEL), "random")),
    ],
)
def test_freed_memory_is_kept(monkeypatch: pytest.MonkeyPatch, opened) -> None:
    kept = []
    monkeypatch.setattr("pipeline.features.backbone.keep_freed_memory", lambda: kept.append(True))
    opened().close()
    assert kept == [True]
