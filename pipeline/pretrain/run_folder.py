"""The folder of a training; a command goes on there only with what the training began with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from operators.backbones.architectures import Architecture, architecture
from operators.errors import UsageError, WeightsError
from operators.pretrain.learner import HeadShape, Learner
from operators.pretrain.training import Training
from operators.weights.checkpoint import check_layout, read_tensors
from operators.weights.head_needs import RENDERED
from operators.weights.header import HEADER_KEY, read_header
from operators.whole_file import whole_file
from pipeline.errors import SinkError

COMMAND = "pretrain"
BACKBONE, NOT_BETTER, HEADS = (
    "backbone.safetensors",
    "not-better.safetensors",
    "heads.safetensors",
)
_SETTINGS, _CHECKPOINT, _REPORT = "settings.json", "checkpoint.pt", "report.json"
_PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Of one training."""

    path: Path

    @property
    def pictures(self) -> Path:
        """That it is trained on."""
        return self.path / _PICTURES

    @property
    def checkpoint(self) -> Path:
        """From which it goes on."""
        return self.path / _CHECKPOINT

    def save(self, training: Training[Any]) -> None:
        """Write a checkpoint in place of the one before. All processes that train have to call.

        Raises:
            SinkError: it cannot be written; the one before stays.
        """
        with _writing(self.checkpoint):
            training.save(self.checkpoint)

    def resume(self, training: Training[Any]) -> None:
        """Go on from the last checkpoint, if there is one.

        Raises:
            WeightsError: it is damaged.
        """
        if not self.checkpoint.exists():
            return
        try:
            training.resume(self.checkpoint)
        except (RuntimeError, OSError, EOFError, KeyError, ValueError, UnpicklingError) as error:
            raise WeightsError(
                f"{self.checkpoint}: damaged, or of another version ({error}); without it the "
                "same command begins at step 0"
            ) from error

    def clear(self) -> None:
        """Remove drafts that a killed command left; nobody else may be at work here."""
        for draft in self.path.glob(".*.part"):
            draft.unlink(missing_ok=True)

    def require(self, settings: Mapping[str, Any]) -> None:
        """Note what decides this training, or hold it to what it began with.

        Raises:
            UsageError: it began with something else; names what.
        """
        file, own = self.path / _SETTINGS, json.loads(json.dumps(settings))
        if not file.exists():
            with _whole(file) as draft:
                draft.write_text(json.dumps(own, indent=1) + "\n")
            return
        try:
            before = _leaves(json.loads(file.read_text()))
        except (ValueError, AttributeError) as error:
            raise UsageError(
                f"{file} is damaged ({error}); a training goes on only with what it began with, so "
                "begin anew in another folder"
            ) from error
        now = _leaves(own)
        other = sorted(name for name in before.keys() | now if before.get(name) != now.get(name))
        if other:
            told = ", ".join(f"{one} {before.get(one)} (now {now.get(one)})" for one in other)
            raise UsageError(
                f"{self.path}: this training began with {told}; give the same again, or another "
                "folder with -o"
            )

    def write_backbone(
        self, tensors: Mapping[str, Tensor], name: str, *, rendered_only: bool
    ) -> Path:
        """A file that `--weights` takes; one that an earlier end of this training left goes.

        Args:
            tensors: by upstream's names.
            name: `BACKBONE` or `NOT_BETTER`.
            rendered_only: it has learnt from rendered scenes alone, which records then say.
        """
        for other in {BACKBONE, NOT_BETTER} - {name}:
            (self.path / other).unlink(missing_ok=True)
        place = self.path / name
        said = {HEADER_KEY: json.dumps({RENDERED: True})} if rendered_only else {}
        _write(place, tensors, {"format": "pt", **said})
        return place

    def write_heads(self, learner: Learner, shape: HeadShape) -> None:
        """What other backbones can be distilled with."""
        facts = {"model": learner.backbone.architecture.name, "shape": asdict(shape)}
        metadata = {"format": "pt", HEADER_KEY: json.dumps(facts, sort_keys=True)}
        _write(self.path / HEADS, learner.head_tensors, metadata)

    def write_report(self, report: Mapping[str, Any]) -> None:
        """What came of it."""
        with _whole(self.path / _REPORT) as draft:
            draft.write_text(json.dumps(report, indent=1) + "\n")

    @property
    def rendered_only(self) -> bool:
        """Whether its backbone has learnt from rendered scenes alone."""
        return (read_header(self.path / BACKBONE) or {}).get(RENDERED) is True

    def _lacks(self, file: Path) -> str:
        """Why a file of an ended training is not there."""
        if (self.path / NOT_BETTER).exists():
            return f"its training ended no better than it began; see {NOT_BETTER} there"
        if file.name == HEADS and (self.path / BACKBONE).exists():
            return f"distilled from features, so it has no heads; give {self.path / BACKBONE}"
        return f"no training has ended there ({file.name} is missing)"

    def read_learner(self) -> tuple[Learner, HeadShape]:
        """Backbone and heads of a training that has ended, frozen.

        Raises:
            WeightsError: none has ended there, or a file is damaged.
        """
        heads, backbone = self.path / HEADS, self.path / BACKBONE
        for file in (heads, backbone):
            if not file.is_file():
                raise WeightsError(f"{self.path}: {self._lacks(file)}")
        facts = read_header(heads) or {}
        if "shape" not in facts:
            raise WeightsError(f"{heads}: not the heads of a training")
        shape = HeadShape(**facts["shape"])
        learner = Learner(_architecture(heads, facts["model"]), shape)
        tensors = {f"backbone.{name}": own for name, own in read_tensors(backbone).items()}
        tensors |= read_tensors(heads)
        check_layout(self.path, tensors, learner.state_dict())
        learner.load_state_dict(tensors)
        return learner.requires_grad_(False), shape


def _leaves(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """`{"recipe": {"steps": 3}}` -> `{"recipe.steps": 3}`."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _leaves(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value
    return found


def _architecture(heads: Path, name: str) -> Architecture:
    try:
        return architecture(name)
    except UsageError as error:
        raise WeightsError(f"{heads}: {error}") from error


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    plain = {name: own.detach().float().cpu().contiguous() for name, own in tensors.items()}
    with _whole(path) as draft:
        save_file(plain, draft, metadata=metadata)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A draft that takes the file's place; errors as of `_writing`."""
    with _writing(path), whole_file(path) as draft:
        yield draft


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """
    Raises:
        SinkError: what is written in the block cannot be; libraries have words of their own for it.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        raise SinkError(f"cannot write {path}: {error}") from error
