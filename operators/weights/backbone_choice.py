"""What `--weights` means for an architecture. Reads no file; knows no torch."""

from __future__ import annotations

from pathlib import Path

from operators.backbones.architectures import DEMO_MODEL
from operators.errors import WeightsError
from operators.weights.catalogue import official_backbone, official_head
from operators.weights.depth_anything_files import WHOLE_MODELS
from operators.weights.official_file import OfficialFile

AUTO, DEMO, RANDOM = "auto", "demo", "random"


def backbone_file(model: str, weights: str) -> Path | OfficialFile | None:
    """The file of a backbone's weights; None for our own, which ship with the program, and for
    random ones.

    Raises:
        WeightsError: there is none for that architecture.
    """
    if weights == DEMO and model != DEMO_MODEL:
        raise WeightsError(f"the demo weights are a {DEMO_MODEL}; leave out --model {model}")
    if weights in (DEMO, RANDOM):
        return None
    if weights == AUTO:
        return official_backbone(model)
    if weights in WHOLE_MODELS:
        return official_head("depth", model, weights)  # its encoder lies in the same file
    return Path(weights).expanduser()


def require_weights(path: Path) -> None:
    """
    Raises:
        WeightsError: there is no file, or something else.
    """
    if (path / "backbone.safetensors").is_file():
        raise WeightsError(f"{path} is a folder; give {path / 'backbone.safetensors'}")
    if not path.is_file():
        raise WeightsError(
            f"{path}: no such weights file; --weights takes auto, demo, random, a path, or "
            f"{', '.join(WHOLE_MODELS)}"
        )
