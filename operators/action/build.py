"""Action as a user configured it: settings and a head in -> the operator, or why not.

What a trained head was trained for goes before settings; what contradicts it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from operators.action.operator import (
    FRAMES,
    LEAVE,
    STRIDE,
    TOP,
    Action,
    ActionWindows,
    action_layout,
)
from operators.settings import Settings
from operators.vector.classes import RANDOM_CLASSES, head_classes
from operators.vector.frame_vector import FrameVector
from operators.vector.pooling import POOLINGS
from operators.vector.vector_head import head_vector
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head, random_head, trained_head

MAX_FRAMES = 64
_SETTINGS = ("pooling", "frames", "stride", "top", "threshold", "leave")


def build_action(settings: Mapping[str, Any], request: HeadRequest) -> Action:
    """Action as a user configured it.

    Args:
        settings: `stride`, `top`, `threshold` (for all labels, in place of the head's), `leave`;
            `pooling` and `frames` too where the head is random, a trained one has its own.
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given = Settings("action", settings, _SETTINGS)
    head = None if request.wants_random else trained_head(request)
    windows = _windows(given, head)
    classes = RANDOM_CLASSES if head is None else head_classes(head)
    if "threshold" in settings:
        threshold = given.share("threshold", 0.0)
        classes = replace(classes, thresholds=(threshold,) * len(classes.names))
    arch = request.architecture
    if head is None:
        count = len(classes.names)
        layout = action_layout(arch, windows.pooling, windows.frames, count, windows.vector)
        head = random_head(request, layout, {})
    return Action(head, arch, classes, windows)


def _windows(given: Settings, head: Head | None) -> ActionWindows:
    facts = head.facts if head else {}
    pooling = given.choice("pooling", facts.get("pooling", POOLINGS[0]), POOLINGS)
    frames = given.whole("frames", facts.get("frames", FRAMES), low=1, high=MAX_FRAMES)
    stride = given.whole("stride", facts.get("stride", min(STRIDE, frames)), low=1, high=frames)
    if head:
        _require_agreement(head, pooling, frames)
    return ActionWindows(
        vector=FrameVector() if head is None else head_vector(head, head.facts.get("vector", {})),
        unit=bool(facts.get("unit_vectors", False)),
        pooling=pooling,
        frames=frames,
        stride=stride,
        top=given.whole("top", TOP, low=1, high=1000),
        leave=given.share("leave", LEAVE),
    )


def _require_agreement(head: Head, pooling: str, frames: int) -> None:
    """What else a head was trained for must agree with the settings."""
    head_classes(head)  # a file without our header lacks everything: labels are named first
    for key, value in (("pooling", pooling), ("frames", frames)):
        if head.facts.get(key) != value:
            raise head.wrong(
                f"its header says {key} {head.facts.get(key)!r}, the settings {value!r}"
            )
