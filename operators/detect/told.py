"""Detection by somebody else: the boxes of a file in place of a head that finds them.

Frames in -> what the file tells of them out, as records of `detections`. Reads no feature.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from operators.detect.detections import Detections
from operators.detect.finder import Guesses
from operators.detect.operator import Detect
from operators.detect.told_boxes import ToldBoxes, require_within
from operators.errors import DinostreamError, WeightsError
from operators.frames import Features, FrameInfo
from operators.result import Result, canonical_json
from operators.segmentation.labelsets import Label, LabelSet
from operators.segmentation.palette import colour
from operators.weights.heads import Head

log = logging.getLogger(__name__)

_NAME_HEX = 8


class ToldFinder:
    """Implements `operators.detect.finder.Finder`."""

    layers: Sequence[int] = ()

    def __init__(self, told: ToldBoxes) -> None:
        """
        Args:
            told: the file.
        """
        self._told = told
        self._ids = {name: id_ for id_, name in enumerate(told.names)}

    def settings(self) -> Mapping[str, Any]:
        return {"detector": dict(self._told.detector)}

    def load(self, device: torch.device) -> None:
        """It has no weights."""

    def __call__(self, features: Features, rows: slice) -> Guesses:
        """As many as the fullest frame of the file has; others are filled up with scores of 0.

        Raises:
            DinostreamError: a box reaches out of its picture.
        """
        count, most = features.cls[rows].shape[0], max(1, self._told.most)
        boxes, scores, labels = (torch.zeros(count, most, *more) for more in ((4,), (), ()))
        for row, info in enumerate(features.infos[rows]):
            told = self._told.of(info)
            if told is None or not told.things:
                continue
            require_within(told, info, self._told.path)
            height, width = info.source_hw
            things = torch.tensor([thing.box for thing in told.things])
            boxes[row, : len(things)] = things / torch.tensor([width, height, width, height])
            scores[row, : len(things)] = torch.tensor([thing.score for thing in told.things])
            labels[row, : len(things)] = torch.tensor(
                [float(self._ids[thing.name]) for thing in told.things]
            )
        device = features.cls.device
        return boxes.to(device), scores.to(device), labels.to(device)


class ToldDetect(Detect):
    """Says nothing of frames that the file does not tell: not that nothing is there."""

    def __init__(self, told: ToldBoxes, *, threshold: float) -> None:
        """
        Args:
            told: the file.
            threshold: least score at which a thing is told.

        Raises:
            WeightsError: it names more things than a label set has room for.
        """
        labels = _label_set(told)
        head = Head(self.name, str(told.path), {}, told.sha256)
        least = [threshold] * len(labels.labels)
        super().__init__(head, ToldFinder(told), labels, thresholds=least)
        self._told = told
        self._unknown: set[tuple[str, str]] = set()  # sessions that were warned of

    def detections(self, info: FrameInfo, *numbers: NDArray[Any]) -> Detections:
        """One frame's things.

        Raises:
            DinostreamError: the file tells nothing of the frame, so nobody knows what is there.
        """
        if self._told.of(info) is None:
            raise DinostreamError(
                f"{self._told.path} tells nothing of frame {info.position} of {info.stream}; "
                "whoever tracks needs a line for every sampled frame, with no objects where there "
                "are none"
            )
        return super().detections(info, *numbers)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        if self._told.of(info) is not None:
            return super().say(info, *numbers)
        session = (info.stream, info.session)
        if session not in self._unknown and not self._told.knows(info):
            self._unknown.add(session)
            log.warning(
                "%s tells nothing of stream %s, session %s: it gets no detections; the file names "
                "other streams, or other content",
                *(self._told.path, *session),
            )
        return []


def _label_set(told: ToldBoxes) -> LabelSet:
    """Called by what is in it: of one name there is one set in a sink."""
    named = hashlib.sha256(canonical_json(list(told.names))).hexdigest()[:_NAME_HEX]
    labels = tuple(Label(id_, name, colour(id_)) for id_, name in enumerate(told.names))
    try:
        return LabelSet(f"boxes-{named}", labels)
    except ValueError as error:
        raise WeightsError(f"{told.path}: {error}") from error
