"""Weights of a model of others as a user has them: a folder in transformers' layout -> what it is.

Reads JSON and hashes. Knows nothing of the library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from operators.backbones.statistics import IMAGENET
from operators.errors import WeightsError
from operators.outside.published import Family
from operators.result import canonical_json
from operators.weights.digest import sha256_file

WEIGHTS, CONFIG = "model.safetensors", "config.json"
PREPROCESSING = "preprocessor_config.json"
# What beside the weights can change a number: sizes, pixels, tokens.
_SETTINGS = (
    *(CONFIG, PREPROCESSING, "tokenizer.json", "tokenizer_config.json", "vocab.txt"),
    *("special_tokens_map.json", "added_tokens.json"),
)
_LAYOUT = f"a folder with {CONFIG} and {WEIGHTS}, as transformers saves a model"


@dataclass(frozen=True, slots=True)
class GivenWeights:
    """A folder that was looked at.

    Attributes:
        folder: where it lies.
        config: what its `config.json` says.
        sha256: of the weights' file, hex.
        settings_sha256: of all files beside it that can change a number, hex.
    """

    folder: Path
    config: Mapping[str, Any]
    sha256: str
    settings_sha256: str

    @classmethod
    def of(cls, path: Path, family: Family) -> Self:
        """
        Args:
            path: the folder, or the weights' file in it.
            family: what it must be.

        Raises:
            WeightsError: it is not there, of another layout, or of another kind of model.
        """
        folder = _folder(path.expanduser(), family)
        config = read_object(folder / CONFIG)
        kind = config.get("model_type")
        if kind != family.model_type:
            raise WeightsError(
                f"{folder / CONFIG}: says model_type {kind!r}, and {family.option} takes "
                f"{family.title}, which is {family.model_type!r}"
            )
        there = [name for name in _SETTINGS if (folder / name).is_file()]
        hashes = {name: sha256_file(folder / name) for name in there}
        own = hashlib.sha256(canonical_json(hashes)).hexdigest()
        return cls(folder, config, sha256_file(folder / WEIGHTS), own)

    def identity(self, family: Family) -> dict[str, Any]:
        """What of it can change a number, and what is known of its licence, as JSON values."""
        return {
            "family": family.title,
            "sha256": self.sha256,
            "settings_sha256": self.settings_sha256,
            "licence": None,  # nobody tells the hashes of published files, so this may be any
            "licence_of_published": family.licence,
        }


def read_object(path: Path) -> Mapping[str, Any]:
    """What a file of JSON says; nothing where it is not there.

    Raises:
        WeightsError: it cannot be read, or holds no object.
    """
    if not path.is_file():
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: cannot be read ({error})") from error
    if not isinstance(said, dict):
        raise WeightsError(f"{path}: holds {type(said).__name__}, and no JSON object")
    return said


def read_preprocessing(folder: Path) -> Mapping[str, Any]:
    """What the folder says of how pictures are prepared; nothing where it does not.

    Raises:
        WeightsError: its file cannot be read, or wants other pixels than ImageNet's.
    """
    path = folder / PREPROCESSING
    said = read_object(path)
    for key, usual in (("image_mean", IMAGENET.mean), ("image_std", IMAGENET.std)):
        if said.get(key, list(usual)) != list(usual):
            raise WeightsError(
                f"{path}: {key} is {said[key]!r}; pictures are prepared as the published models "
                f"are, with {list(usual)}"
            )
    return said


def _folder(path: Path, family: Family) -> Path:
    if not path.exists():
        raise WeightsError(f"{path}: is not there; {family.option} takes {_LAYOUT}")
    if path.is_file() and path.name != WEIGHTS:
        raise WeightsError(
            f"{path}: is none that can be read here; {family.option} takes {_LAYOUT}, or that "
            f"{WEIGHTS} itself. The authors' own .pth has other names: take it from "
            f"{family.homes[0]}"
        )
    folder = path if path.is_dir() else path.parent
    missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        others = sorted(one.name for one in folder.glob("*.bin*"))
        why = f" ({', '.join(others)} may run code when it is read, and is not)" if others else ""
        raise WeightsError(
            f"{folder}: lacks {' and '.join(missing)}{why}; {family.option} takes {_LAYOUT}"
        )
    return folder
