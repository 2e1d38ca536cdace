"""`--finetune` on top of a fitted head: the fit to keep, and what a user is told of the gain.

Knows nothing of footage or of how blocks learn.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from operators.backbones.backbone import Backbone
from operators.backbones.machine import this_machine
from operators.backbones.thread_pool import ThreadPool
from operators.learn.estimate import Estimate
from operators.learn.examples import Examples
from operators.learn.finetune import Finetuned, Start, finetune
from operators.learn.splits import Parts
from operators.learn.tail_parts import TailParts, Tokens
from operators.learn.vector_fit import Quality, VectorFit
from operators.vector.own_blocks import own_blocks, tail_start
from operators.weights.heads import Head

Tell = Callable[[float | None, str], None]


def wanted_tokens(backbone: Backbone, blocks: int) -> int | None:
    """The block whose tokens fine-tuning starts from; None where nothing is fine-tuned.

    Args:
        backbone: from `pipeline.features.backbone.open_backbone`.
        blocks: how many of its last ones learn.

    Raises:
        UsageError: too many, or a backbone with registers.
    """
    return tail_start(backbone.loaded.model.architecture, blocks) if blocks else None


def fit_further(
    frozen: VectorFit, examples: Examples, parts: Parts, start: Start, *, seed: int, tell: Tell
) -> tuple[VectorFit, list[str]]:
    """Let the last blocks learn too.

    Args:
        frozen: the best linear head on the frozen backbone.
        examples: all windows or pictures.
        parts: which are for what.
        start: what learns.
        seed: of the order of examples.
        tell: told how far it is.

    Returns:
        The fit to keep, and what a user should be told.
    """
    pool = ThreadPool(this_machine().cores)
    try:
        done = finetune(frozen, examples, parts, start, pool=pool, seed=seed, tell=tell)
    finally:
        pool.close()
    return done.fit, _told(done, start)


def seen_by(head: Head, examples: Examples, tokens: Tokens, backbone: Backbone) -> Examples:
    """Windows or pictures as a head with blocks of its own sees them.

    Args:
        head: a fine-tuned one.
        examples: as its backbone sees them.
        tokens: of their frames, of the block that `wanted_tokens` names.
        backbone: that it was trained on.
    """
    model = backbone.loaded.model
    own = TailParts(own_blocks(head, model.architecture), deepcopy(model.norm).cpu().float())
    pool = ThreadPool(this_machine().cores)
    try:
        return own.seen(examples, tokens, pool)
    finally:
        pool.close()


def _told(done: Finetuned, start: Start) -> list[str]:
    which = "the last block" if start.blocks == 1 else f"the last {start.blocks} blocks"
    steps = done.fit.facts["trained"]["finetuned"]["steps"]
    depth = start.backbone.architecture.depth
    verdict = (
        f"the fine-tuned head is kept: {which} of {depth} are its own and run once more per frame"
        if done.kept
        else "no gain to keep: the frozen head stays, without blocks of its own"
    )
    return [
        f"fine-tuned {which} in {steps} steps; mean class accuracy on {done.tuned.part}:",
        f"  frozen {_said(_accuracy(done.frozen))}, fine-tuned {_said(_accuracy(done.tuned))}",
        f"  gain {_said(done.gain, sign='+')}{_doubt(done.gain)}",
        verdict,
    ]


def _accuracy(quality: Quality) -> Estimate:
    return quality.scores.estimates["mean_class_accuracy"]


def _said(one: Estimate, *, sign: str = "") -> str:
    text = f"{one.value:{sign}.3f}"
    if one.low is None or one.high is None:
        return text
    return f"{text} (95 %: {one.low:{sign}.3f} to {one.high:{sign}.3f})"


def _doubt(gain: Estimate) -> str:
    if gain.value > 0 and (gain.low is None or gain.low <= 0):
        return ": it may be none, more files would tell"
    return ""
