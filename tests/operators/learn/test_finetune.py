"""The last blocks learn: from the frozen head on, by seed, whatever the threads; kept if better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.thread_pool import ThreadPool
from operators.learn.examples import Examples
from operators.learn.finetune import Start, finetune
from operators.learn.scoring import head_scores
from operators.learn.splits import Parts
from operators.learn.tail_model import TailModel
from operators.learn.tail_parts import TailParts
from operators.learn.tail_training import Schedule
from operators.learn.vector_fit import VectorFit, quality_of
from operators.vector.own_blocks import own_blocks
from operators.vector.pooling import POOLINGS, QUERY, pooled_width
from operators.vector.vector_head import BIAS, WEIGHT
from operators.weights.head_needs import TAIL_BLOCKS
from operators.weights.heads import Head
from operators.weights.load import load_backbone

ARCH = ARCHITECTURES["dinov2_vitti14"]
QUICK = Schedule(1e-3, 1e-2, looks=2, steps=4)


@pytest.fixture(scope="module")
def model():
    return load_backbone(ARCH, "random").model


@pytest.fixture
def pool():
    pool = ThreadPool(2)
    yield pool
    pool.close()


@pytest.fixture
def drawn(model):
    """`drawn(frames)`: windows of frames of two sizes, whose class all of their tokens tell."""

    def made(frames: int = 1, windows: int = 24):
        draw = np.random.default_rng(0)
        mark = draw.standard_normal(ARCH.width)
        numbers = np.arange(windows)
        targets = numbers % 2
        tokens = [
            torch.from_numpy(draw.standard_normal((size, ARCH.width)) + mark * target).half()
            for target in targets
            for size in (5, 7, 5)[:frames]
        ]
        blank = torch.zeros(len(tokens), 3, ARCH.width)
        with torch.no_grad():
            parts = TailParts(model.blocks[-2:], model.norm)(blank, tokens).numpy()
        examples = Examples(
            parts,
            True,
            np.arange(len(tokens)).reshape(windows, frames),
            np.full(windows, frames),
            targets,
            tuple(f"file {number}" for number in numbers),
            ("without", "with"),
        )
        third = numbers // 2 % 3
        split = Parts(*(np.flatnonzero(third == number) for number in range(3)))
        return examples, split, tokens

    return made


def fitted(examples, split, pooling="mean", scale=0.01):
    """A frozen fit that knows what the windows' mean says of the class, times `scale`."""
    wide = pooled_width(pooling, examples.frames, 3 * ARCH.width)
    draw = np.random.default_rng(1)
    weight = torch.from_numpy(scale * draw.standard_normal((2, wide))).float()
    tensors = {WEIGHT: weight, BIAS: torch.tensor([0.1, -0.1])}
    if pooling == "attention":
        query = 0.1 * draw.standard_normal((1, wide))
        tensors[QUERY] = torch.from_numpy(query).float()
    facts = {"vector": {"blocks": 2, "mean_patch": True}, "pooling": pooling}
    judged = examples.take(split.test)
    scores = head_scores(tensors, facts, judged)
    quality = quality_of(scores, judged, [0.5, 0.5], part_name="test", seed=0)
    facts |= {"thresholds": [0.5, 0.5], "trained": {"classifier": "linear"}}
    return VectorFit(tensors, facts, quality)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", POOLINGS)
def test_it_begins_as_the_frozen_head(model, pool, drawn, pooling):
    examples, split, tokens = drawn(3)
    frozen = fitted(examples, split, pooling, scale=0.1)
    tail = TailModel(model, 2, frozen.tensors, frozen.facts, examples.take(split.train))
    want = head_scores(frozen.tensors, frozen.facts, examples)
    assert want.std() > 0.01
    seen = tail.parts.seen(examples, tokens.__getitem__, pool)
    got = head_scores(tail.folded(), frozen.facts, seen)
    np.testing.assert_allclose(got, want, atol=1e-4)
    logits = tail(examples, tokens)
    np.testing.assert_allclose(logits.softmax(dim=1).detach().numpy(), want, atol=1e-4)


@pytest.mark.slow
def test_a_gain_is_kept_and_measured_where_nothing_was_learnt_from(model, pool, drawn):
    examples, split, tokens = drawn()
    frozen = fitted(examples, split)
    told = []
    done = finetune(
        frozen,
        examples,
        split,
        Start(model, 1, tokens.__getitem__, QUICK),
        pool=pool,
        tell=lambda share, words: told.append(share),
    )
    before, after = (
        one.scores.estimates["mean_class_accuracy"].value for one in (done.frozen, done.tuned)
    )
    assert done.kept
    assert done.fit.quality is done.tuned
    assert done.tuned.part == "test"
    assert after > before
    assert done.gain.value == pytest.approx(after - before)
    assert told == [step / 8 for step in range(1, 9)]
    facts = done.fit.facts
    assert facts[TAIL_BLOCKS] == 1
    assert facts["trained"]["finetuned"]["kept"] is True
    assert facts["trained"]["finetuned"]["rates"] == [1e-3, 1e-2]
    was, now = model.blocks[11].attn.qkv.weight, done.fit.tensors["blocks.11.attn.qkv.weight"]
    assert 1e-4 < (now - was).abs().max() < 1e-2
    assert not any(name.startswith("blocks.10") for name in done.fit.tensors)
    head = Head("classify", "own", done.fit.tensors, "0" * 64, facts)
    own = TailParts(own_blocks(head, ARCH), model.norm)
    judged = own.seen(examples.take(split.test), tokens.__getitem__, pool)
    scores = head_scores(head.tensors, facts, judged)
    np.testing.assert_allclose(scores, done.tuned.probabilities, atol=1e-6)


@pytest.mark.slow
def test_without_a_gain_the_frozen_head_stays(model, pool, drawn):
    examples, split, tokens = drawn()
    learnt = finetune(
        fitted(examples, split),
        examples,
        split,
        Start(model, 1, tokens.__getitem__, QUICK),
        pool=pool,
    )
    frozen = replace(fitted(examples, split), quality=learnt.tuned)  # as good, and it costs less
    again = Start(model, 1, tokens.__getitem__, QUICK)
    done = finetune(frozen, examples, split, again, pool=pool)
    assert done.gain.value == 0
    assert not done.kept
    assert done.fit.tensors is frozen.tensors
    assert done.fit.quality is frozen.quality
    assert TAIL_BLOCKS not in done.fit.facts
    assert done.fit.facts["trained"]["finetuned"]["kept"] is False


@pytest.mark.slow
def test_it_ends_when_validation_gets_no_better(model, pool, drawn):
    examples, split, tokens = drawn()
    told = []
    still = Schedule(1e-30, 1e-30, looks=9, steps=2, patience=2)
    done = finetune(
        fitted(examples, split),
        examples,
        split,
        Start(model, 1, tokens.__getitem__, still),
        pool=pool,
        tell=lambda share, words: told.append(words),
    )
    assert len(told) == 6
    assert told[-1].startswith("fine-tuning, step 6 of at most 18, ")
    assert done.fit.facts["trained"]["finetuned"]["steps"] == 2


@pytest.mark.slow
def test_seed_and_data_decide_and_threads_do_not(model, drawn):
    examples, split, tokens = drawn(2, windows=60)  # a third learns: more than one step takes
    frozen = fitted(examples, split)
    start = Start(model, 2, tokens.__getitem__, replace(QUICK, looks=1))
    found = []
    for threads, seed in ((1, 0), (3, 0), (1, 1)):
        pool = ThreadPool(threads)
        done = finetune(frozen, examples, split, start, pool=pool, seed=seed)
        found.append(done.tuned.probabilities)
        pool.close()
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()
