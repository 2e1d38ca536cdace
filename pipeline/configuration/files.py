"""Which files a configuration names for its engines: weights, heads, calibrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from operators.backbones.architectures import architecture
from operators.names import has_head
from operators.weights.backbone_choice import DEMO, RANDOM, backbone_file
from operators.weights.cache import default_cache_dir
from operators.weights.head_needs import head_choice
from operators.weights.head_request import HeadRequest
from operators.weights.official_file import OfficialFile
from pipeline.configuration.config import Config


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One of them.

    Attributes:
        key: where it is named: `weights`, `calibrations`, or `heads.` and an operator.
        path: where it lies here, absolute.
        official: it lies in the cache, under the name that it has there on every machine.
    """

    key: str
    path: Path
    official: bool


def files_of(config: Config) -> list[NamedFile]:
    """Those that are here. What is not may be where the engines run, or will be fetched there.

    Raises:
        WeightsError: weights or a head of that name do not exist.
    """
    found = [
        NamedFile(key, place_of(file), isinstance(file, OfficialFile))
        for key, file in named_files(config).items()
    ]
    return [file for file in found if file.path.is_file()]


def named_files(config: Config) -> dict[str, Path | OfficialFile]:
    """All of them by their keys, here or not: a path, or what is fetched into the cache. Errors as
    of `files_of`."""
    named: dict[str, Path | OfficialFile | None] = {
        "weights": backbone_file(config.model, config.weights)
    }
    for operator in config.operators:
        named[f"heads.{operator}"] = _head(config, operator)
    if config.calibrations is not None:
        named["calibrations"] = Path(config.calibrations)
    return {key: file for key, file in named.items() if file is not None}


def place_of(file: Path | OfficialFile) -> Path:
    """Where such a file lies on this machine, or would."""
    if isinstance(file, OfficialFile):
        return default_cache_dir() / file.file_name
    return file.expanduser().absolute()


def with_files(config: Config, paths: Mapping[str, Path]) -> Config:
    """The same configuration, with files that lie elsewhere.

    Args:
        config: what names them.
        paths: key -> where one lies; official ones are left out, whose place is known.
    """
    heads = {key.removeprefix("heads."): path for key, path in paths.items() if "." in key}
    told = {key: str(path) for key, path in paths.items() if "." not in key}
    own = {operator: str(path) for operator, path in heads.items()}
    return config.model_copy(update={**told, "heads": {**config.heads, **own}})


def _head(config: Config, operator: str) -> Path | OfficialFile | None:
    choice = head_choice(operator, config.heads, config.weights)
    if choice in (None, DEMO, RANDOM) or not has_head(operator):
        return None
    return HeadRequest(operator, architecture(config.model), "", choice).file()
