"""Labelled recordings or pictures as the examples that a head file is measured on.

The head's own sampling and windows; its own classes, in its order. Knows nothing of measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from operators.action.episodes import BACKGROUND
from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.learn.examples import Examples
from operators.weights.head_needs import HeadNeeds
from operators.weights.heads import Head
from pipeline.features.store import FeatureStore
from pipeline.fit.dense_plan import Tell
from pipeline.fit.finetuning import seen_by, wanted_tokens
from pipeline.fit.fit_action import recorded_tokens, see
from pipeline.fit.fit_classify import picture_examples, picture_parts, pictured_tokens
from pipeline.fit.fitting import Tell as TellShare
from pipeline.fit.pictures import LabelledPicture
from pipeline.fit.spans import Labelled, label_names
from pipeline.fit.windowing import Cut, by_file, has_background, windows_of
from pipeline.media.fingerprint import file_session


def recorded_examples(
    recordings: Sequence[Labelled],
    head: Head,
    backbone: Backbone,
    *,
    short_side: int,
    cache: Path,
    tell: Tell,
) -> Examples:
    """Windows of recordings.

    Args:
        recordings: files with their spans.
        head: its header says labels, fps, frames, stride; it may have blocks of its own.
        backbone: that it was trained on.
        short_side: of a frame, pixels.
        cache: folder of computed features.
        tell: told how far it is.

    Raises:
        UsageError: a label that the head does not know.
        SourceError: files that cannot be read; names all of them.
    """
    facts, known = head.facts, list(head.facts["labels"])
    _refuse_unknown(label_names(recordings, background=False), known)
    block, fps = wanted_tokens(backbone, HeadNeeds.of(facts).own_blocks), facts["fps"]
    store = FeatureStore(cache, backbone, short_side=short_side)
    try:
        seen = see(recordings, store, fps, tell=by_share(tell), tokens_of=block)
        tokens = None if block is None else recorded_tokens(recordings, store, fps, block)
    finally:
        store.close()
    unit = bool(facts.get("unit_vectors"))
    cut = Cut(fps, facts["frames"], facts["stride"], unit=unit)
    background = BACKGROUND in known and has_background(seen, cut)
    found = label_names(recordings, background=background)
    examples, _ = windows_of(seen, found, cut, by_file)
    examples = _renamed(examples, known)
    return examples if tokens is None else seen_by(head, examples, tokens, backbone)


def pictured_examples(
    pictures: Sequence[LabelledPicture],
    head: Head,
    backbone: Backbone,
    *,
    short_side: int,
    cache: Path,
    tell: Tell,
) -> Examples:
    """Pictures, each a window of one frame; the arguments are those of `recorded_examples`.

    Raises:
        UsageError: a label that the head does not know.
        SourceError: files that cannot be read; names all of them.
    """
    facts, known = head.facts, list(head.facts["labels"])
    _refuse_unknown([one.label for one in pictures], known)
    paths = [one.path for one in pictures]
    block = wanted_tokens(backbone, HeadNeeds.of(facts).own_blocks)
    store = FeatureStore(cache, backbone, short_side=short_side)
    try:
        parts = picture_parts(paths, store, tell=by_share(tell), tokens_of=block)
        tokens = None if block is None else pictured_tokens(paths, store, block)
    finally:
        store.close()
    groups = [file_session(str(path)) for path in paths]
    unit = bool(facts.get("unit_vectors"))
    examples = picture_examples(pictures, parts, groups, known, unit=unit)
    return examples if tokens is None else seen_by(head, examples, tokens, backbone)


def _renamed(examples: Examples, known: Sequence[str]) -> Examples:
    """The same windows with the ids of the head's classes."""
    ids = np.array([known.index(name) for name in examples.labels], dtype=np.int64)
    return replace(examples, targets=ids[examples.targets], labels=tuple(known))


def _refuse_unknown(found: Sequence[str], known: Sequence[str]) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise UsageError(
            f"the head does not know {', '.join(unknown)}; its classes are {', '.join(known)}"
        )


def by_share(tell: Tell) -> TellShare:
    """What hears of a share, by what hears of so many of so many."""

    def told(share: float | None, so_far: str) -> None:
        tell(so_far, round(1000 * (share or 0.0)), 1000)

    return told
