"""Labelled recordings or pictures as the examples that a head file is measured on.

The head's own sampling and windows; its own classes, in its order. Knows nothing of measuring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from operators.backbone import Backbone
from operators.episodes import BACKGROUND
from operators.errors import UsageError
from operators.learn.examples import Examples
from pipeline.fit.dense_plan import Tell
from pipeline.fit.feature_store import FeatureStore
from pipeline.fit.fit_action import see
from pipeline.fit.fit_classify import picture_parts
from pipeline.fit.fitting import Tell as TellShare
from pipeline.fit.pictures import LabelledPicture
from pipeline.fit.spans import Labelled, label_names
from pipeline.fit.windowing import Cut, by_file, has_background, windows_of
from pipeline.sources import file_session

Facts = Mapping[str, Any]


def recorded_examples(
    recordings: Sequence[Labelled],
    facts: Facts,
    backbone: Backbone,
    *,
    short_side: int,
    cache: Path,
    tell: Tell,
) -> Examples:
    """Windows of recordings.

    Args:
        recordings: files with their spans.
        facts: the head's header: labels, fps, frames, stride.
        backbone: that it was trained on.
        short_side: of a frame, pixels.
        cache: folder of computed features.
        tell: told how far it is.

    Raises:
        UsageError: a label that the head does not know.
        SourceError: files that cannot be read; names all of them.
    """
    known = list(facts["labels"])
    _refuse_unknown(label_names(recordings, background=False), known)
    store = FeatureStore(cache, backbone, short_side=short_side)
    try:
        seen = see(recordings, store, facts["fps"], tell=_by_share(tell))
    finally:
        store.close()
    unit = bool(facts.get("unit_vectors"))
    cut = Cut(facts["fps"], facts["frames"], facts["stride"], unit=unit)
    background = BACKGROUND in known and has_background(seen, cut)
    found = label_names(recordings, background=background)
    examples, _ = windows_of(seen, found, cut, by_file)
    return _renamed(examples, known)


def pictured_examples(
    pictures: Sequence[LabelledPicture],
    facts: Facts,
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
    known = list(facts["labels"])
    _refuse_unknown([one.label for one in pictures], known)
    store = FeatureStore(cache, backbone, short_side=short_side)
    try:
        parts = picture_parts([one.path for one in pictures], store, tell=_by_share(tell))
    finally:
        store.close()
    count = len(pictures)
    return Examples(
        parts,
        True,
        np.arange(count, dtype=np.int64)[:, None],
        np.ones(count, dtype=np.int64),
        np.array([known.index(one.label) for one in pictures], dtype=np.int64),
        tuple(file_session(str(one.path)) for one in pictures),
        tuple(known),
        bool(facts.get("unit_vectors")),
    )


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


def _by_share(tell: Tell) -> TellShare:
    def told(share: float | None, so_far: str) -> None:
        tell(so_far, round(1000 * (share or 0.0)), 1000)

    return told
