"""Pictures of things -> a classify head for classes of one's own, in one file.

Features of all pictures are computed once. Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.learn.examples import Examples, Floats
from pipeline.errors import SourceError
from pipeline.features.store import FeatureStore
from pipeline.features.token_files import TokenFiles
from pipeline.fit.finetuning import wanted_tokens
from pipeline.fit.fitting import FitPlan, FitReport, Tell, data_sha256, fit_and_write
from pipeline.fit.pictures import LabelledPicture
from pipeline.fit.provenance import provenance_facts
from pipeline.media.fingerprint import file_session
from pipeline.media.still import day_taken

_TOGETHER = 16  # pictures at a time


def fit_classify(
    pictures: Sequence[LabelledPicture], backbone: Backbone, plan: FitPlan, *, tell: Tell
) -> FitReport:
    """Train a classify head.

    Args:
        pictures: with their classes.
        backbone: from `pipeline.features.backbone.open_backbone`, frozen.
        plan: how.
        tell: told how far it is.

    Raises:
        UsageError: pictures that cannot be split, or that do not say when they were taken.
        SourceError: files that cannot be read; names all of them.
        SinkError: the head cannot be written.
    """
    contents = [file_session(str(one.path)) for one in pictures]
    groups = _groups(pictures, contents, plan)
    paths, block = [one.path for one in pictures], wanted_tokens(backbone, plan.finetune)
    store = FeatureStore(plan.cache, backbone, short_side=plan.short_side)
    try:
        parts = picture_parts(paths, store, tell=tell, tokens_of=block)
        tokens = None if block is None else pictured_tokens(paths, store, block)
    finally:
        store.close()
    labels = tuple(dict.fromkeys(one.label for one in pictures))
    examples = picture_examples(pictures, parts, groups, labels)
    identity = zip(contents, (one.label for one in pictures), strict=True)
    return fit_and_write(
        "classify",
        examples,
        backbone,
        plan,
        facts={
            "data": data_sha256(identity),
            **provenance_facts(contents, rendered=False),
        },
        tokens=tokens,
        notes=[f"{len(pictures)} pictures, {len(labels)} classes"],
        tell=tell,
    )


def picture_examples(
    pictures: Sequence[LabelledPicture],
    parts: Floats,
    groups: Sequence[str],
    labels: Sequence[str],
    *,
    unit: bool = False,
) -> Examples:
    """Each picture a window of one frame.

    Args:
        pictures: whose classes are among the labels.
        parts: of them, see `picture_parts`.
        groups: which of them belong together.
        labels: names of the classes.
        unit: see `Examples`.
    """
    count = len(pictures)
    return Examples(
        parts,
        True,
        np.arange(count, dtype=np.int64)[:, None],
        np.ones(count, dtype=np.int64),
        np.array([labels.index(one.label) for one in pictures], dtype=np.int64),
        tuple(groups),
        tuple(labels),
        unit,
    )


def _groups(
    pictures: Sequence[LabelledPicture], contents: Sequence[str], plan: FitPlan
) -> tuple[str, ...]:
    """By content, so that copies of a picture never part; or by the day it was taken."""
    if plan.grouping == "file":
        return tuple(contents)
    days = [day_taken(one.path) for one in pictures]
    undated = [str(one.path) for one, day in zip(pictures, days, strict=True) if day is None]
    if undated:
        raise UsageError(
            f"{len(undated)} pictures do not say when they were taken, such as {undated[0]}; "
            "use --split file"
        )
    return tuple(str(day) for day in days)


def picture_parts(
    paths: Sequence[Path], store: FeatureStore, *, tell: Tell, tokens_of: int | None = None
) -> Floats:
    """Tokens of every picture, `[n, P, D]` as `Examples.parts`, through the backbone.

    Args:
        paths: of the pictures.
        store: computes what the cache lacks.
        tell: told how far it is.
        tokens_of: keep all tokens behind this block too, for `pictured_tokens`.

    Raises:
        SourceError: files that cannot be read; names all of them.
    """
    _compute(paths, store, tell, tokens_of)
    return np.concatenate([_parts(path, store, tokens_of) for path in paths])


def pictured_tokens(paths: Sequence[Path], store: FeatureStore, block: int) -> TokenFiles:
    """Tokens of every picture that `picture_parts` went through, in its order."""
    return TokenFiles([store.image_file(path, tokens_of=block) for path in paths])


def _compute(paths: Sequence[Path], store: FeatureStore, tell: Tell, tokens_of: int | None) -> None:
    """All that cannot be read are named at once."""
    broken = []
    for first in range(0, len(paths), _TOGETHER):
        together = paths[first : first + _TOGETHER]
        tell(first / len(paths), f"features of picture {first + 1} of {len(paths)}")
        try:
            store.compute_images(together, tokens_of=tokens_of)
        except SourceError:
            broken += _unreadable(together, store, tokens_of)
    if broken:
        raise SourceError(
            f"{len(broken)} of {len(paths)} pictures cannot be read; take them out, what was "
            "computed of the others is kept:\n  " + "\n  ".join(broken)
        )


def _unreadable(paths: Sequence[Path], store: FeatureStore, tokens_of: int | None) -> list[str]:
    broken = []
    for path in paths:
        try:
            store.compute_images([path], tokens_of=tokens_of)
        except SourceError as error:
            broken.append(str(error))
    return broken


def _parts(path: Path, store: FeatureStore, tokens_of: int | None) -> Floats:
    features = store.image(path, tokens_of=tokens_of)
    return np.concatenate([features.cls, features.mean_patch[:, None]], axis=1)
