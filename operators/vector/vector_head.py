"""What a head says of one vector: a probability per class, linear, by what moved or by the nearest
examples.

Vectors in -> scores out. Must not know where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from operators.vector.frame_vector import FrameVector
from operators.vector.motion import (
    CELL_WEIGHT,
    FRAME_WIDTH,
    HIDDEN_WIDTH,
    hidden_vectors,
    motion_layout,
)
from operators.weights.heads import Head, Layout

CLASSIFIERS = ("linear", "motion", "knn")
WEIGHT, BIAS = "classifier.weight", "classifier.bias"
EXAMPLES, EXAMPLE_CLASSES = "memory.vectors", "memory.classes"


def linear_layout(width: int, classes: int) -> Layout:
    """Names and shapes of a linear head's tensors."""
    return {WEIGHT: (classes, width), BIAS: (classes,)}


class VectorHead:
    """Linear: softmax(W x + b). Motion: the same, of `operators.vector.motion`'s hidden vector.
    Nearest neighbours: the k most similar stored examples vote, each with softmax(cosine /
    temperature), as DINOv2 evaluates (upstream: eval/knn.py)."""

    def __init__(self, head: Head, width: int, classes: int, further: Layout) -> None:
        """
        Args:
            head: tensors `classifier.weight` and `.bias`, with those of `operators.vector.motion`
                where the header says `motion`; or `memory.vectors` `[M, F]` of length one and
                `memory.classes` `[M]` with `k` and `temperature` in the header.
            width: F of a vector.
            classes: how many there are.
            further: tensors of the head that others use.

        Raises:
            WeightsError: the head does not fit the width or the classes.
        """
        self._kind = _kind(head)
        self._classes = classes
        self._motion: dict[str, Tensor] = {}
        facts = head.facts
        if self._kind == "knn":
            found = head.tensors.get(EXAMPLES)
            count = len(found) if found is not None and found.ndim else 0
            head.check({EXAMPLES: (count, width), EXAMPLE_CLASSES: (count,), **further})
            self._k, self._temperature = _votes(head, facts, count)
            self._own = self._memory(head)
        else:
            layout = _motion(head, width) if self._kind == "motion" else {}
            into = HIDDEN_WIDTH if layout else width
            head.check({**layout, **linear_layout(into, classes), **further})
            self._motion = {name: head.tensors[name].float() for name in layout}
            self._own = (head.tensors[WEIGHT].float(), head.tensors[BIAS].float())

    def to(self, device: torch.device) -> None:
        """Move to where vectors come from."""
        first, second = self._own
        self._own = (first.to(device), second.to(device))
        self._motion = {name: tensor.to(device) for name, tensor in self._motion.items()}

    def scores(self, vectors: Tensor) -> Tensor:
        """Probabilities `[R, classes]` float32 of vectors `[R, F]` float32."""
        return self.logits(vectors).softmax(dim=1)

    def logits(self, vectors: Tensor) -> Tensor:
        """What the probabilities are the softmax of; of votes their logarithms."""
        first, second = self._own
        if self._kind != "knn":
            seen = hidden_vectors(self._motion, vectors) if self._motion else vectors
            logits: Tensor = second + seen @ first.T
            return logits
        likeness = vectors / vectors.norm(dim=1, keepdim=True) @ first.T
        nearest = likeness.argsort(dim=1, descending=True, stable=True)[:, : self._k]
        votes = (likeness.gather(1, nearest) / self._temperature).softmax(dim=1)
        counted = votes.new_zeros((len(vectors), self._classes))
        voted: Tensor = counted.scatter_add_(1, second[nearest], votes)
        return voted.log()

    def _memory(self, head: Head) -> tuple[Tensor, Tensor]:
        ids = head.tensors[EXAMPLE_CLASSES].long()
        if not ((ids >= 0) & (ids < self._classes)).all():
            raise head.wrong(f"{EXAMPLE_CLASSES} must be from 0 to {self._classes - 1}")
        return head.tensors[EXAMPLES].float(), ids


def _kind(head: Head) -> str:
    kind = head.facts.get("classifier", CLASSIFIERS[0])
    if kind not in CLASSIFIERS:
        raise head.wrong(
            f"its header says classifier {kind!r}; allowed are {', '.join(CLASSIFIERS)}"
        )
    return str(kind)


def _motion(head: Head, width: int) -> Layout:
    """Of a head for motion; how many numbers a token has, the file says."""
    found = head.tensors.get(CELL_WEIGHT)
    frames = width // FRAME_WIDTH
    if found is None or found.ndim != 2 or width % FRAME_WIDTH or frames < 2:
        raise head.wrong(
            f"a classifier motion needs {CELL_WEIGHT} [P, D] and windows of two frames or more "
            "pooled by concat; train it again with dinostream fit action --classifier motion"
        )
    return motion_layout(found.shape[1], frames)


def _votes(head: Head, facts: Mapping[str, Any], count: int) -> tuple[int, float]:
    k, temperature = facts.get("k"), facts.get("temperature")
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= count:
        raise head.wrong(f"k in its header must be from 1 to its {count} examples, got {k!r}")
    if not isinstance(temperature, int | float) or not temperature > 0:
        raise head.wrong(f"temperature in its header must be above 0, got {temperature!r}")
    return k, float(temperature)


def head_vector(head: Head, said: Any) -> FrameVector:
    """The tokens that a head reads.

    Args:
        head: for the error's text.
        said: what its header says of them.

    Raises:
        WeightsError: it says something else.
    """
    try:
        return FrameVector.from_json(said)
    except (TypeError, ValueError) as error:
        raise head.wrong(f"its header says vector {said!r}: {error}") from error
