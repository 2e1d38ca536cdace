"""Clips of actions -> an action head for classes of one's own, in one file.

Features of all clips are computed once; windows are cut as a run cuts them. Knows nothing of the
command line.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.learn.tail_parts import Tokens
from pipeline.errors import SourceError
from pipeline.features.clip import Clip, is_scene
from pipeline.features.store import FeatureStore
from pipeline.features.stored import StoredFeatures
from pipeline.features.token_files import TokenFiles
from pipeline.fit.finetuning import wanted_tokens
from pipeline.fit.fitting import FitPlan, FitReport, Tell, data_sha256, fit_and_write
from pipeline.fit.provenance import provenance_facts, source_of
from pipeline.fit.spans import Labelled, label_names
from pipeline.fit.windowing import Cut, Seen, by_day, by_file, has_background, windows_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """How an action head is trained.

    Attributes:
        fit: what is the same for every vector head.
        fps: frames per second of media time.
        frames: T, frames of a window.
        stride: frames from one window's start to the next one's.
    """

    fit: FitPlan
    fps: float = 5.0
    frames: int = 8
    stride: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.stride <= self.frames <= 64 or not self.fps > 0:
            raise UsageError(
                f"want 1 <= stride <= frames <= 64 and fps above 0, got stride {self.stride}, "
                f"frames {self.frames}, fps {self.fps}"
            )


def fit_action(
    recordings: Sequence[Labelled], backbone: Backbone, plan: ActionPlan, *, tell: Tell
) -> FitReport:
    """Train an action head on files.

    Args:
        recordings: files with their spans.
        backbone: from `pipeline.features.backbone.open_backbone`, frozen.
        plan: how.
        tell: told how far it is.

    Raises:
        UsageError: labels that do not fit their files, or files that cannot be split.
        SourceError: files that cannot be read; names all of them.
        SinkError: the head cannot be written.
    """
    block = wanted_tokens(backbone, plan.fit.finetune)
    store = FeatureStore(plan.fit.cache, backbone, short_side=plan.fit.short_side)
    try:
        seen = see(recordings, store, plan.fps, tell=tell, tokens_of=block)
        tokens = None if block is None else recorded_tokens(recordings, store, plan.fps, block)
    finally:
        store.close()
    return fit_windows(seen, backbone, plan, tell=tell, tokens=tokens)


def fit_windows(
    seen: Sequence[Seen],
    backbone: Backbone,
    plan: ActionPlan,
    *,
    tell: Tell,
    cut: Cut | None = None,
    tokens: Tokens | None = None,
) -> FitReport:
    """Train an action head on features that are there.

    Args:
        seen: labelled recordings.
        backbone: whose features they are.
        plan: how.
        tell: told how far it is.
        cut: how windows are cut, where not as the plan says for features of a store.
        tokens: of all frames, where the plan has blocks learn.

    Raises:
        UsageError: labels that do not fit, or recordings that cannot be split.
        SinkError: the head cannot be written.
    """
    cut = cut or Cut(plan.fps, plan.frames, plan.stride)
    recordings = [one.labelled for one in seen]
    labels = label_names(recordings, background=has_background(seen, cut))
    if len(labels) < 2:
        raise UsageError(
            f"all of the footage is {labels[0]}: a head tells classes apart and needs two or more; "
            "leave time without a label, or label something else"
        )
    group = by_day if plan.fit.grouping == "day" else by_file
    examples, mixed = windows_of(seen, labels, cut, group)
    identity = [
        (
            one.content,
            [[span.start_s, str(span.end_s), span.label] for span in one.labelled.spans],
        )
        for one in seen
    ]
    facts = {
        "fps": plan.fps,
        "frames": plan.frames,
        "stride": plan.stride,
        "data": data_sha256(identity),
        **provenance_facts(
            (_source(one) for one in seen), rendered=all(is_scene(r.name) for r in recordings)
        ),
    }
    notes = [f"{len(examples.rows)} windows of {len(seen)} recordings, {len(labels)} classes"]
    if mixed:
        notes.append(f"{mixed} windows left out: no class has more than half of their frames")
    return fit_and_write(
        "action",
        examples,
        backbone,
        plan.fit,
        facts=facts,
        tokens=tokens,
        notes=notes,
        tell=tell,
    )


def _source(seen: Seen) -> str:
    return source_of(seen.labelled.name) if is_scene(seen.labelled.name) else seen.content


def see(
    recordings: Sequence[Labelled],
    store: FeatureStore,
    fps: float,
    *,
    tell: Tell,
    tokens_of: int | None = None,
) -> list[Seen]:
    """Every recording through the backbone.

    Args:
        recordings: files with their spans.
        store: computes what the cache lacks.
        fps: frames per second of media time.
        tell: told how far it is.
        tokens_of: keep all tokens behind this block too, for `recorded_tokens`.

    Raises:
        SourceError: files that cannot be read; names all of them.
    """
    clips = _clips(recordings, fps, tokens_of)
    missing = [clip for clip in clips if not store.is_complete(clip)]
    kept, broken = len(clips) - len(missing), []
    for number, clip in enumerate(missing):
        ahead = missing[number + 1] if number + 1 < len(missing) else None
        try:
            for share in store.compute(clip, ahead=ahead):
                done = (number + (share or 0.0)) / len(missing)
                tell(done, f"features of file {kept + number + 1} of {len(clips)}")
        except SourceError as error:
            broken.append(str(error))
    if broken:
        raise SourceError(
            f"{len(broken)} of {len(clips)} recordings cannot be read; take them out, what was "
            "computed of the others is kept:\n  " + "\n  ".join(broken)
        )
    pairs = zip(recordings, clips, strict=True)
    return [_one(recording, clip.content, store.load(clip)) for recording, clip in pairs]


def recorded_tokens(
    recordings: Sequence[Labelled], store: FeatureStore, fps: float, block: int
) -> TokenFiles:
    """Tokens of every frame that `see` gave, in its order; the arguments are its own."""
    clips = _clips(recordings, fps, block)
    return TokenFiles([path for clip in clips for path in store.token_files(clip)])


def _clips(recordings: Sequence[Labelled], fps: float, tokens_of: int | None) -> list[Clip]:
    return [Clip(Path(one.name), fps, tokens_of=tokens_of) for one in recordings]


def _one(recording: Labelled, content: str, features: StoredFeatures) -> Seen:
    if features.outcome == "degraded":
        log.warning("%s: %s; what can be decoded is used", recording.name, features.detail)
    parts = np.concatenate([features.cls, features.mean_patch[:, None]], axis=1)
    return Seen(
        recording,
        content,
        parts,
        features.times_s,
        features.times_us,
        features.clock,
        features.breaks,
        features.duration_s,
        features.cells,
    )
