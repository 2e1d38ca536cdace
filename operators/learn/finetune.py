"""A fitted linear head, and the backbone's last blocks with it, a little further: is it better?

Tokens of frames and the frozen fit in -> both judged on the same held-out part, and the one to
keep. Knows nothing of files or of the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from operators.backbones.thread_pool import ThreadPool
from operators.backbones.vit import VisionTransformer
from operators.learn.estimate import Estimate
from operators.learn.examples import Examples
from operators.learn.metrics import mean_class_gain
from operators.learn.scoring import head_scores
from operators.learn.splits import Parts
from operators.learn.tail_model import TailModel
from operators.learn.tail_parts import Tokens
from operators.learn.tail_training import (
    Lesson,
    Schedule,
    Tell,
    train_tail,
    validation_scores,
)
from operators.learn.thresholds import thresholds
from operators.learn.vector_fit import Quality, VectorFit, is_better, quality_of, worth
from operators.weights.head_needs import TAIL_BLOCKS


@dataclass(frozen=True, slots=True)
class Start:
    """What learns.

    Attributes:
        backbone: its last blocks are copied; it stays as it is.
        blocks: how many.
        tokens: what goes into the first of them.
        schedule: how fast and how long.
    """

    backbone: VisionTransformer
    blocks: int
    tokens: Tokens
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Finetuned:
    """What came out.

    Attributes:
        fit: the head to keep; the fine-tuned one has its blocks among its tensors.
        kept: whether it is the fine-tuned one.
        frozen, tuned: how good both are, on the same part.
        gain: of mean class accuracy, files drawn anew for both alike.
    """

    fit: VectorFit
    kept: bool
    frozen: Quality
    tuned: Quality
    gain: Estimate


def finetune(
    frozen: VectorFit,
    examples: Examples,
    parts: Parts,
    start: Start,
    *,
    pool: ThreadPool,
    seed: int = 0,
    tell: Tell = lambda *_: None,
) -> Finetuned:
    """Train the last blocks and the head together, from where the frozen fit ended.

    The frozen head is kept, for a run that costs less, unless the fine-tuned one is better twice:
    on validation by the rule that chooses among heads, and by mean class accuracy where both are
    judged. That veto is the only choice which the judged part has a say in.

    Args:
        frozen: a linear fit on these examples.
        examples: all windows, as the frozen backbone sees them.
        parts: which are for what.
        start: what learns.
        pool: the threads that compute; no result depends on how many there are.
        seed: of the order of examples.
        tell: told after every step.
    """
    assert frozen.tensors is not None
    train, validation = examples.take(parts.train), examples.take(parts.validation)
    model = TailModel(start.backbone, start.blocks, frozen.tensors, frozen.facts, train)
    lesson = Lesson(train, validation, start.tokens, pool)
    steps = train_tail(model, lesson, frozen.facts, start.schedule, seed=seed, tell=tell)
    scores = validation_scores(model, frozen.facts, lesson)
    before = head_scores(frozen.tensors, frozen.facts, validation)
    cuts = thresholds(scores, validation.targets)
    name, rows = parts.judged
    judged = examples.take(rows)
    after = head_scores(model.folded(), frozen.facts, model.parts.seen(judged, start.tokens, pool))
    tuned = quality_of(after, judged, cuts, part_name=name, seed=seed)
    gain = _gain(frozen.quality, tuned, judged, seed)
    kept = is_better(worth(scores, validation), worth(before, validation)) and gain.value > 0
    said = _said(start, steps, gain, kept=kept)
    facts = {**frozen.facts, "trained": {**frozen.facts["trained"], "finetuned": said}}
    fit = replace(frozen, facts=facts)
    if kept:
        facts |= {TAIL_BLOCKS: start.blocks, "thresholds": cuts}
        fit = VectorFit(model.folded(), facts, tuned, frozen.tried)
    return Finetuned(fit, kept, frozen.quality, tuned, gain)


def _gain(frozen: Quality, tuned: Quality, judged: Examples, seed: int) -> Estimate:
    before, after = (np.argmax(one.probabilities, axis=1) for one in (frozen, tuned))
    return mean_class_gain(judged.targets, before, after, judged.groups, seed=seed)


def _said(start: Start, steps: int, gain: Estimate, *, kept: bool) -> Mapping[str, Any]:
    """For the header."""
    return {
        "blocks": start.blocks,
        "rates": [start.schedule.block_rate, start.schedule.head_rate],
        "steps": steps,
        "gain": gain.plain(),
        "kept": kept,
    }
