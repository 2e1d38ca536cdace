"""Which head an operator is to have, and what that choice means. Reads no file; knows no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from operators.backbones.architectures import Architecture
from operators.errors import UsageError, WeightsError
from operators.weights.backbone_choice import RANDOM
from operators.weights.catalogue import CATALOGUE, belongs_to, official_head
from operators.weights.depth_anything_files import WHOLE_MODELS
from operators.weights.official_file import OfficialFile

_FILE_SUFFIXES = {".pth", ".pt", ".safetensors", ".jsonl"}  # the last: boxes of another detector


class MissingHead(UsageError):
    """An operator without a trained head does not run; the text says how to give it one."""


def none_runs(missing: Sequence[str]) -> UsageError:
    """Every operator of a job lacks its head; the texts of `MissingHead` say which."""
    return UsageError(
        f"no operator can run: {'; '.join(missing)}. --weights demo comes with heads for depth, "
        "segmentation, action and detect"
    )


@dataclass(frozen=True, slots=True)
class HeadRequest:
    """Which head is wanted, and the backbone that it must fit.

    Attributes:
        operator: whose head.
        architecture: the backbone's sizes.
        backbone_sha256: identity of the backbone's weights.
        choice: an official name, a path, `random`, or None where the user said nothing.
        random_seed: set only under `--weights random`.
        cache_dir: where official files are kept; `default_cache_dir()` if None.
    """

    operator: str
    architecture: Architecture
    backbone_sha256: str
    choice: str | None = None
    random_seed: int | None = None
    cache_dir: Path | None = None

    @property
    def wants_random(self) -> bool:
        """The head is drawn, not read.

        Raises:
            MissingHead: no head was chosen and the weights are not random.
            UsageError: `random` was chosen, but the backbone's weights are not random.
        """
        if self.choice == RANDOM and self.random_seed is None:
            raise UsageError(
                f"--head {self.operator}=random needs --weights random; give a trained head"
            )
        if self.choice is None and self.random_seed is None:
            raise MissingHead(f"{self.operator} does not run: {self._how_to_get_one()}")
        return self.choice in (None, RANDOM)

    def file(self) -> Path | OfficialFile:
        """What the choice of a name or a path means.

        Raises:
            WeightsError: no such official head; the text lists those there are.
        """
        choice = self.choice or ""
        path = Path(choice).expanduser()
        if path.suffix in _FILE_SUFFIXES or path.exists() or "/" in choice:
            return path
        # Official file names part words with "_", our names with "-": both are understood.
        return official_head(self.operator, self._model, choice.replace("_", "-"))

    def require_file(self) -> None:
        """
        Raises:
            WeightsError: a path was chosen where no file is.
        """
        path = self.file()
        if isinstance(path, Path) and not path.is_file():
            raise WeightsError(
                f"{path}: no such head file; --head {self.operator} takes an official name or a "
                "path"
            )

    def refuse_head(self) -> None:
        """For an operator that has none.

        Raises:
            UsageError: one was chosen.
        """
        if self.choice is not None:
            raise UsageError(f"{self.operator} has no head; leave out --head {self.operator}")

    def _how_to_get_one(self) -> str:
        path = f"--head {self.operator}=PATH"
        if self.architecture.own_blocks and self.operator == "detect":
            return f"its head lies in its weights' file: {path}, the same path as --weights"
        own = self.architecture.own_classifier
        if own and self.operator == "classify":
            return (
                f"its head lies in its weights' file: --head classify={own} beside --weights "
                f"auto, else {path}, the same path as --weights"
            )
        files = [file for file in official_files(self.operator) if file.model == self._model]
        # A whole model's backbone has one head, its own; any other backbone has all but that.
        whole = [file for file in files if belongs_to(file) == self.backbone_sha256]
        offered = [file.head for file in whole or files if whole or file.head not in WHOLE_MODELS]
        if not offered:
            return f"it has no head; give one with {path}"
        names = ", ".join(str(name) for name in offered)
        return f"it has no head; choose --head {self.operator}=NAME ({names}) or {path}"

    @property
    def _model(self) -> str:
        return self.architecture.name


def official_files(operator: str) -> list[OfficialFile]:
    """Every official head of an operator."""
    return [file for file in CATALOGUE if file.purpose == operator]
