"""Detection as a user configured it: settings and a head in -> an operator out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from operators.detect.decoder import DecoderShape, decoder_layout
from operators.detect.operator import Detect
from operators.segmentation.labelsets import Label, LabelSet, parse_label_set
from operators.settings import Settings
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head, random_head, trained_head

_THRESHOLD = 0.5  # where a head says none
_RANDOM = LabelSet(
    "untrained", tuple(Label(id_, f"untrained {id_}", (99,) * 3) for id_ in range(3))
)


def build_detect(settings: Mapping[str, Any], request: HeadRequest) -> Detect:
    """Detection as a user configured it.

    Args:
        settings: `threshold` (for all labels, in place of the head's).
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given = Settings("detect", settings, ("threshold",))
    arch = request.architecture
    if request.wants_random:
        labels, shape, thresholds = _RANDOM, DecoderShape(), (0.0,) * len(_RANDOM.labels)
        head = random_head(request, decoder_layout(arch, len(labels.labels), shape), {})
    else:
        head = trained_head(request)
        labels, shape = _labels(head), _shape(head)
        thresholds = _thresholds(head, labels)
    if "threshold" in settings:
        thresholds = (given.share("threshold", 0.0),) * len(labels.labels)
    return Detect(head, arch, labels, shape=shape, thresholds=thresholds)


def _labels(head: Head) -> LabelSet:
    name, labels = head.facts.get("labelset"), head.facts.get("labels")
    if not isinstance(name, str) or not isinstance(labels, Sequence) or isinstance(labels, str):
        raise head.wrong("its header must say labelset and labels, a list of {id, name, rgb}")
    try:
        return parse_label_set(name, labels)
    except ValueError as error:
        raise head.wrong(f"its header: {error}") from error


def _shape(head: Head) -> DecoderShape:
    said = head.facts.get("decoder")
    if not isinstance(said, Mapping):
        raise head.wrong(f"its header must say the decoder's sizes, got {said!r}")
    try:
        return DecoderShape.from_json(said)
    except ValueError as error:
        raise head.wrong(f"decoder in its header: {error}") from error


def _thresholds(head: Head, labels: LabelSet) -> tuple[float, ...]:
    said = head.facts.get("thresholds", [_THRESHOLD] * len(labels.labels))
    if (
        not isinstance(said, Sequence)
        or len(said) != len(labels.labels)
        or not all(_is_number(one) and one >= 0 for one in said)
    ):
        raise head.wrong(
            f"thresholds in its header must be a number from 0 for each of {len(labels.labels)} "
            f"labels, got {said!r}"
        )
    return tuple(float(one) for one in said)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
