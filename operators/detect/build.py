"""Detection as a user configured it: settings and a head in -> an operator out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from operators.backbones.architectures import Architecture
from operators.detect.box_finder import BoxFinder
from operators.detect.decoder import DecoderShape, decoder_layout
from operators.detect.eomt import Eomt, eomt_layout
from operators.detect.finder import Finder
from operators.detect.mask_finder import MaskFinder
from operators.detect.operator import Detect
from operators.detect.things import THINGS
from operators.detect.told import ToldDetect
from operators.detect.told_boxes import SUFFIX, ToldBoxes
from operators.errors import WeightsError
from operators.segmentation.labelsets import Label, LabelSet, label_set, parse_label_set
from operators.settings import Settings
from operators.weights.eomt import is_decoder
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head, random_head, trained_head

_THRESHOLD = 0.5  # where a head says none
_RANDOM = LabelSet(
    "untrained", tuple(Label(id_, f"untrained {id_}", (99,) * 3) for id_ in range(3))
)


def build_detect(settings: Mapping[str, Any], request: HeadRequest) -> Detect:
    """Detection as a user configured it.

    Args:
        settings: `threshold` (for all labels, in place of the head's), `masks` (beside the boxes).
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given = Settings("detect", settings, ("threshold", "masks"))
    masks = given.switch("masks", default=False)
    if (request.choice or "").endswith(SUFFIX):
        return _told(given, request, masks=masks)
    head = _drawn(request) if request.wants_random else trained_head(request)
    if is_decoder(head.tensors):
        finder, labels = _eomt(head, request.architecture, masks=masks)
    else:
        finder, labels = _decoder(head, request.architecture, masks=masks)
    thresholds = _thresholds(head, labels)
    if "threshold" in settings:
        thresholds = (given.share("threshold", 0.0),) * len(labels.labels)
    return Detect(head, finder, labels, thresholds=thresholds)


def _told(given: Settings, request: HeadRequest, *, masks: bool) -> Detect:
    """A file of boxes is told as it is, unless a user asks for less."""
    request.require_file()
    told = ToldBoxes(Path(request.choice or "").expanduser())
    if masks:
        raise WeightsError(f"{told.path}: it has boxes alone; leave out the setting masks")
    return ToldDetect(told, threshold=given.share("threshold", 0.0))


def _drawn(request: HeadRequest) -> Head:
    """A random one tells whatever it says."""
    arch, classes = request.architecture, len(_RANDOM.labels)
    if arch.own_blocks:
        return random_head(
            request, eomt_layout(arch, queries=200, classes=80), {"thresholds": [0.0] * 80}
        )
    facts = {"labelset": _RANDOM.name, "labels": _RANDOM.records(), "thresholds": [0.0] * classes}
    shape = DecoderShape()
    known = facts | {"decoder": shape.plain()}
    return random_head(request, decoder_layout(arch, classes, shape), known)


def _eomt(head: Head, arch: Architecture, *, masks: bool) -> tuple[Finder, LabelSet]:
    eomt = Eomt(head, arch)
    if eomt.classes not in THINGS:
        raise head.wrong(
            f"nothing says what its {eomt.classes} classes are; known are those of COCO (80, 133) "
            "and of ADE20K (150)"
        )
    name, things = THINGS[eomt.classes]
    return MaskFinder(eomt, things, masks=masks), label_set(name)


def _decoder(head: Head, arch: Architecture, *, masks: bool) -> tuple[Finder, LabelSet]:
    labels = _labels(head)
    return BoxFinder(head, arch, len(labels.labels), _shape(head), masks=masks), labels


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
