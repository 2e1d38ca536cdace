"""What a whole frame shows: one vector of features in -> labels with scores out.

A head on the class tokens of the last blocks and the mean patch: the official ImageNet heads
(upstream: hub/classifiers.py), a DeiT's own, or one for a user's own classes; or words
(docs/words.md). One record per frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.result import JSON, Result, canonical_json
from operators.settings import Settings
from operators.vector.classes import RANDOM_CLASSES, Classes, head_classes, imagenet_classes
from operators.vector.deit import is_deits, linear_of_deit
from operators.vector.frame_scorer import FrameScorer, VectorScorer
from operators.vector.frame_vector import FrameVector
from operators.vector.vector_head import BIAS, WEIGHT, head_vector, linear_layout
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head, Layout, random_head, trained_head
from operators.words.likeness import FrameLikeness, of_words

TOP = 5

_OFFICIAL = {"weight": WEIGHT, "bias": BIAS}  # upstream saves the bare linear layer
_OFFICIAL_BLOCKS = (4, 1)


class Classify(BatchOperator):
    """Labels of every frame, the highest scores first."""

    name = "classify"
    topics = BUILT_IN["classify"]
    version = 2  # 2: sums in another order

    def __init__(
        self,
        head: Head,
        scorer: FrameScorer,
        classes: Classes,
        *,
        top: int = TOP,
    ) -> None:
        """
        Args:
            head: whose weights the scorer has.
            scorer: what computes a score for each class.
            classes: their names, and from which score on each is said.
            top: labels told of at most.
        """
        self._scorer = scorer
        self.layers = scorer.layers
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self._classes, self._top = classes, top

    def settings(self) -> Mapping[str, Any]:
        thresholds = self._classes.thresholds
        return {
            **self._scorer.settings(),
            "top": self._top,
            "thresholds": None if thresholds is None else list(thresholds),
        }

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        self._scorer.load(device, dtype)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        return (self.logits(features, rows).softmax(dim=1),)

    def logits(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, classes]`."""
        return self._scorer.logits(features, rows)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        (scores,) = numbers
        require_finite(scores, info, operator=self.name)
        said = {"labels": self._classes.best(scores, self._top)}
        return [Result(info, self.name, JSON, canonical_json(said))]


def classify_layout(arch: Architecture, vector: FrameVector, classes: int) -> Layout:
    """Names and shapes of a head's tensors."""
    return linear_layout(vector.width(arch), classes)


def build_classify(settings: Mapping[str, Any], request: HeadRequest) -> Classify:
    """Classify as a user configured it.

    Args:
        settings: `top`, `threshold` (for all labels, in place of the head's).
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given = Settings("classify", settings, ("top", "threshold"))
    top = given.whole("top", TOP, low=1, high=1000)
    arch = request.architecture
    if request.wants_random:
        # A pyramid has one class token to read, and that is its mean patch.
        drawn = FrameVector() if arch.pyramid else FrameVector(blocks=4, mean_patch=True)
        classes = RANDOM_CLASSES
        head = random_head(request, classify_layout(arch, drawn, len(classes.names)), {})
        scorer: FrameScorer = VectorScorer(head, arch, len(classes.names), drawn)
    else:
        head, vector = _read(trained_head(request), arch)
        classes = _classes(head)
        scorer = _scorer(head, arch, len(classes.names), vector)
    if "threshold" in settings:
        threshold = given.share("threshold", 0.0)
        classes = replace(classes, thresholds=(threshold,) * len(classes.names))
    return Classify(head, scorer, classes, top=top)


def _scorer(
    head: Head, arch: Architecture, classes: int, vector: FrameVector | None
) -> FrameScorer:
    if of_words(head):
        return FrameLikeness(head, arch, classes)
    unit = bool(head.facts.get("unit_vectors", False))
    return VectorScorer(head, arch, classes, vector or _vector(head, arch), unit=unit)


def _read(head: Head, arch: Architecture) -> tuple[Head, FrameVector | None]:
    """A head by our names of tensors, and the tokens that it reads where its kind says them."""
    if is_deits(head):
        return linear_of_deit(head, arch)
    if head.tensors.keys() == _OFFICIAL.keys():
        own = {name: head.tensors[upstream] for upstream, name in _OFFICIAL.items()}
        head = replace(head, tensors=own)
    return head, None


def _vector(head: Head, arch: Architecture) -> FrameVector:
    """What the head reads: its header says it, of an official one its width."""
    said = head.facts.get("vector")
    if said is not None:
        return head_vector(head, said)
    weight = head.tensors.get(WEIGHT)
    width = weight.shape[-1] if weight is not None and weight.ndim else 0
    for blocks in _OFFICIAL_BLOCKS:
        vector = FrameVector(blocks, mean_patch=True)
        if vector.width(arch) == width:
            return vector
    raise head.wrong(
        f"it reads {width} numbers; official heads read {2 * arch.width} or {5 * arch.width} of "
        f"{arch.name}, others say vector in their header"
    )


def _classes(head: Head) -> Classes:
    """The head's own, or ImageNet's where it says nothing and has as many."""
    bias = head.tensors.get(BIAS)
    imagenet = imagenet_classes()
    if "labels" not in head.facts and bias is not None and bias.shape == (len(imagenet.names),):
        return imagenet
    return head_classes(head)
