"""What every fit of a vector head is told, and what it has to say in the end.

Examples in -> a head file, or a report where the classifier makes none. Knows nothing of footage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.errors import UsageError
from operators.learn.examples import Examples
from operators.learn.finetune import Start
from operators.learn.head_file import write_head
from operators.learn.splits import split
from operators.learn.tail_parts import Tokens
from operators.learn.tail_training import Schedule
from operators.learn.vector_fit import Recipe, VectorFit, fit_vector_head
from operators.result import canonical_json
from pipeline.errors import SinkError
from pipeline.fit.doubt import doubts
from pipeline.fit.finetuning import fit_further
from pipeline.media.scaler import FILTER_NAME

Tell = Callable[[float | None, str], None]
"""Called with the share that is done (None: nobody knows) and how far that is, in words."""
Grouping = Literal["file", "day"]


@dataclass(frozen=True, slots=True)
class FitPlan:
    """What is the same for every vector head.

    Attributes:
        cache: folder of computed features.
        out: the head file to write.
        short_side: of a frame at the backbone, pixels.
        recipe: what is tried.
        grouping: what is never divided between training and validation: a file, or a day.
        finetune: how many last blocks of the backbone learn too, 0: none.
        schedule: how fast and how long they do.
    """

    cache: Path
    out: Path
    short_side: int = 224
    recipe: Recipe = field(default_factory=Recipe)
    grouping: Grouping = "file"
    finetune: int = 0
    schedule: Schedule = field(default_factory=Schedule)

    def __post_init__(self) -> None:
        if self.finetune and self.recipe.classifier != "linear":
            raise UsageError(
                f"--finetune goes on from the classifier linear, got {self.recipe.classifier}; "
                "leave one of the two out"
            )
        if self.out.suffix != ".safetensors":
            raise UsageError(f"{self.out}: a head file's name ends in .safetensors")


@dataclass(frozen=True, slots=True)
class FitReport:
    """What a fit did.

    Attributes:
        operator: whose head it is.
        path: the head file; None where the classifier makes none.
        sha256: of the file.
        facts: its header.
        fit: what was tried and how good the chosen head is.
        notes: what a user should be told.
    """

    operator: str
    path: Path | None
    sha256: str | None
    facts: Mapping[str, Any]
    fit: VectorFit
    notes: tuple[str, ...] = ()


def fit_and_write(
    operator: str,
    examples: Examples,
    backbone: Backbone,
    plan: FitPlan,
    *,
    facts: Mapping[str, Any],
    tokens: Tokens | None = None,
    notes: Iterable[str] = (),
    tell: Tell,
) -> FitReport:
    """Train the best head that the plan's recipe finds, and write it.

    Args:
        operator: action or classify.
        examples: the windows, or pictures.
        backbone: whose features they are.
        plan: how.
        facts: what the header says of the task: labels, sampling, windows, data.
        tokens: of the frames, where the plan has blocks learn.
        notes: what a user should be told beside what is found here.
        tell: told how far it is.

    Raises:
        UsageError: no split by whole groups, or a classifier that is not installed.
        SinkError: the file cannot be written.
    """
    stay_on_one_core()  # many small steps: threads that meet after each wait for the slowest
    recipe = plan.recipe
    parts = split(
        examples.groups, examples.targets, examples.labels, seed=recipe.seed, kind=plan.grouping
    )
    fit = fit_vector_head(
        examples,
        parts,
        recipe,
        tell=lambda name, accuracy: tell(None, f"{name}: {100 * accuracy:.1f} % on validation"),
    )
    gain: list[str] = []
    if tokens is not None:
        start = Start(backbone.loaded.vit("fine-tuning"), plan.finetune, tokens, plan.schedule)
        fit, gain = fit_further(fit, examples, parts, start, seed=recipe.seed, tell=tell)
    short_side, kind = plan.short_side, f"{plan.grouping}s"
    header = vector_facts(fit, examples, backbone, short_side=short_side, kind=kind) | dict(facts)
    told = [*notes, *gain, *_own_notes(fit), *doubts(fit.quality.scores, kind=kind)]
    if fit.tensors is None:
        return FitReport(operator, None, None, header, fit, tuple(told))
    sha256 = write_out(plan.out, operator, fit.tensors, header)
    return FitReport(operator, plan.out, sha256, header, fit, tuple(told))


def data_sha256(content: Iterable[Any]) -> str:
    """Identity of what a head was trained on: contents and labels, whatever they are called."""
    return hashlib.sha256(canonical_json(sorted(map(list, content)))).hexdigest()


def vector_facts(
    fit: VectorFit, examples: Examples, backbone: Backbone, *, short_side: int, kind: str
) -> dict[str, Any]:
    """What the header says of every vector head, as docs/heads.md lists it.

    Args:
        fit: the head, and how good it is.
        examples: what it was trained on.
        backbone: whose features.
        short_side: of a frame at the backbone, pixels.
        kind: what the groups of the examples are, for people: files, days or scenes.
    """
    quality = fit.quality
    estimates = {name: one.plain() for name, one in quality.scores.estimates.items()}
    return {
        "backbone": backbone.loaded.sha256,
        "model": backbone.loaded.model.architecture.name,
        "labels": list(examples.labels),
        "short_side": short_side,
        "filter": FILTER_NAME,
        "normalisation": backbone.loaded.model.architecture.statistics.name,
        "unit_vectors": examples.unit,
        **fit.facts,
        "metrics": {
            **estimates,
            "f1": round(quality.f1, 6),
            "said": round(quality.said, 6),
            "measured_on": f"{quality.part}, {quality.scores.groups} {kind}",
        },
    }


def write_out(
    path: Path, operator: str, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]
) -> str:
    """Write a head where the user wants it.

    Args:
        path: where to, `.safetensors`.
        operator: whose head it is.
        tensors: by the names that the operator reads.
        facts: its header.

    Returns:
        sha256 of the file.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        return write_head(path, operator, tensors, facts)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror or error})") from error


def _own_notes(fit: VectorFit) -> list[str]:
    notes = []
    if fit.quality.part == "validation":
        notes.append(
            "too few files to put a test part aside: measured on validation, which chose the head "
            "and its thresholds, so it is flattered"
        )
    if fit.tensors is None:
        notes.append("boosted trees are a report: no head file holds them; see docs/fit.md")
    return notes
