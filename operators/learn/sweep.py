"""Linear heads by DINOv2's recipe: many learning rates at once, the best on validation is kept.

Windows in -> for every learning rate a head's tensors out (upstream: eval/linear.py). With
attention, the query that weighs the frames is learnt with it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.learn.batches import BATCH, batches, class_weights
from operators.learn.examples import Examples, gathered, presence, width
from operators.learn.frame_scale import FrameScale
from operators.learn.span import Span, pays
from operators.vector.frame_vector import FrameVector
from operators.vector.pooling import QUERY
from operators.vector.vector_head import BIAS, WEIGHT

# Inputs have length one on average, so a step's effect does not depend on the number of features.
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_STEPS = 240
_EPOCHS = 10
_MOST_STEPS = 6000
_MOMENTUM = 0.9


def train_rates(
    examples: Examples, vector: FrameVector, pooling: str, *, seed: int = 0
) -> dict[float, dict[str, Tensor]]:
    """One head per learning rate, trained side by side on the same batches.

    SGD with momentum 0.9 and a cosine to zero, no weight decay, as upstream; classes weigh the same
    however many windows they have.

    Args:
        examples: the training part.
        vector: the tokens of a frame that count.
        pooling: one of `operators.vector.pooling.POOLINGS`.
        seed: of the order of examples.

    Returns:
        Learning rate -> tensors as a head file has them.
    """
    vectors = examples.vectors(vector)
    scale = FrameScale.of(examples, vectors)
    wide = width(examples, vector, pooling)
    inputs = (vectors - scale.mean) / scale.deviation / wide**0.5
    if pooling == "attention":
        weights = _descend(examples, _Attentive(examples, inputs), seed)
    elif pays(len(examples.rows), wide):
        span = Span.of(gathered(inputs, examples, pooling))
        weights = _descend(examples, _Linear(span.inputs, len(examples.labels)), seed)
        weights[WEIGHT] = span.back(weights[WEIGHT])
    else:
        weights = _descend(examples, _Gathered(examples, inputs, pooling, wide), seed)
    return {
        rate: _folded({name: one[number] for name, one in weights.items()}, scale, wide)
        for number, rate in enumerate(RATES)
    }


class _Linear:
    """Logits of windows that are pooled already, for all rates at once."""

    def __init__(self, pooled: Tensor, classes: int) -> None:
        self._pooled = pooled
        shape = (len(RATES), classes, pooled.shape[1])
        self.start = {WEIGHT: torch.zeros(shape), BIAS: torch.zeros(shape[:2])}

    def __call__(self, weights: dict[str, Tensor], batch: Tensor) -> Tensor:
        """`[rates, B, classes]`."""
        return _linear(weights, self._pooled[batch])


class _Gathered:
    """The same, pooled batch by batch: all at once would not fit in memory."""

    def __init__(self, examples: Examples, inputs: Tensor, pooling: str, wide: int) -> None:
        self._examples, self._inputs, self._pooling = examples, inputs, pooling
        shape = (len(RATES), len(examples.labels), wide)
        self.start = {WEIGHT: torch.zeros(shape), BIAS: torch.zeros(shape[:2])}

    def __call__(self, weights: dict[str, Tensor], batch: Tensor) -> Tensor:
        some = self._examples.take(batch.numpy())
        return _linear(weights, gathered(self._inputs, some, self._pooling))


class _Attentive:
    """Frames weighed by a query that is learnt too, one per rate."""

    def __init__(self, examples: Examples, inputs: Tensor) -> None:
        self._rows = torch.from_numpy(examples.rows)
        self._absent = presence(examples) == 0
        self._inputs = inputs
        shape = (len(RATES), len(examples.labels), inputs.shape[1])
        self.start = {
            WEIGHT: torch.zeros(shape),
            BIAS: torch.zeros(shape[:2]),
            QUERY: torch.zeros(shape[0], shape[2]),
        }

    def __call__(self, weights: dict[str, Tensor], batch: Tensor) -> Tensor:
        frames = self._inputs[self._rows[batch]]  # [B, T, F]
        match = torch.einsum("btf,rf->rbt", frames, weights[QUERY])
        match = match.masked_fill(self._absent[batch][None], -torch.inf)
        # Every frame's logits first: classes are fewer than features.
        each = frames @ weights[WEIGHT].flatten(0, 1).T
        each = each.view(*frames.shape[:2], *weights[WEIGHT].shape[:2])
        scores = torch.einsum("rbt,btrc->rbc", match.softmax(dim=2), each)
        return scores + weights[BIAS][:, None]


_Model = _Linear | _Gathered | _Attentive


def _linear(weights: dict[str, Tensor], pooled: Tensor) -> Tensor:
    rates, classes, _ = weights[WEIGHT].shape
    scores = pooled @ weights[WEIGHT].flatten(0, 1).T
    return scores.view(len(pooled), rates, classes).transpose(0, 1) + weights[BIAS][:, None]


def _descend(examples: Examples, model: _Model, seed: int) -> dict[str, Tensor]:
    """Weights of all rates, stacked along the first dimension."""
    weights = dict(model.start)
    speed = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    rates = {n: torch.tensor(RATES).view(-1, *[1] * (w.ndim - 1)) for n, w in weights.items()}
    targets = torch.from_numpy(examples.targets)
    balance = class_weights(examples)
    steps = min(max(_STEPS, _EPOCHS * len(targets) // BATCH), _MOST_STEPS)
    for step, batch in zip(range(steps), batches(len(targets), seed), strict=False):
        learning = {name: weight.requires_grad_() for name, weight in weights.items()}
        loss = _loss(model(learning, batch), targets[batch], balance)
        slopes = torch.autograd.grad(loss, list(learning.values()))
        fade = 0.5 * (1 + math.cos(math.pi * step / steps))
        for name, slope in zip(learning, slopes, strict=True):
            speed[name] = _MOMENTUM * speed[name] + slope
            weights[name] = weights[name].detach() - fade * rates[name] * speed[name]
    return weights


def _loss(logits: Tensor, targets: Tensor, balance: Tensor) -> Tensor:
    """Summed over the rates, so that none feels the others."""
    rates, count, classes = logits.shape
    flat = logits.reshape(rates * count, classes)
    each = F.cross_entropy(flat, targets.repeat(rates), weight=balance, reduction="sum")
    return each / balance[targets].sum()


def _folded(weights: dict[str, Tensor], scale: FrameScale, wide: int) -> dict[str, Tensor]:
    """The same head for vectors that are not standardised."""
    repeats = wide // len(scale.mean)
    deviation, mean = scale.deviation.repeat(repeats), scale.mean.repeat(repeats)
    weight = weights[WEIGHT] / deviation / wide**0.5
    tensors = {WEIGHT: weight, BIAS: weights[BIAS] - weight @ mean}
    if QUERY in weights:
        tensors[QUERY] = (weights[QUERY] / scale.deviation)[None]
    return {name: tensor.contiguous() for name, tensor in tensors.items()}
