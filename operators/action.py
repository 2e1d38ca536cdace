"""What happens in a window of frames: class tokens over time in -> labels with scores out.

Frames are pooled over time (mean, concat or attention) and classified linearly; one record per
window. Must not know gaps or clocks: whoever calls it resets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from operators.architectures import Architecture
from operators.finite import require_finite
from operators.frames import Features, FrameInfo
from operators.heads import Head, HeadRequest, Layout, random_head, trained_head
from operators.moment import rfc3339
from operators.operator import StreamOperator
from operators.result import JSON, Result, canonical_json
from operators.settings import Settings
from operators.windows import SlidingWindow, Window

POOLINGS = ("mean", "concat", "attention")
FRAMES = 8
STRIDE = 4
TOP = 5

_MAX_FRAMES = 64
_RANDOM_LABELS = tuple(f"untrained {number}" for number in range(10))
_WEIGHT, _BIAS, _QUERY = "classifier.weight", "classifier.bias", "pool.query"
_DECIMALS = 6


class Action(StreamOperator):
    """Labels of every window of every stream.

    A short last window comes from `reset` where frames would else be in no window.
    """

    name = "action"

    def __init__(
        self,
        head: Head,
        arch: Architecture,
        labels: Sequence[str],
        *,
        pooling: str = "mean",
        frames: int = FRAMES,
        stride: int = STRIDE,
        top: int = TOP,
    ) -> None:
        """
        Args:
            head: tensors `classifier.weight` and `.bias`, and `pool.query` for attention.
            arch: the backbone's sizes.
            labels: names of the classes.
            pooling: one of `POOLINGS`.
            frames: T, sampled frames in a window.
            stride: frames from the start of a window to the next one's.
            top: labels told of, the highest scores first.

        Raises:
            WeightsError: the head does not fit the backbone, the labels or the pooling.
        """
        head.check(action_layout(arch, pooling, frames, len(labels)))
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self._labels = tuple(labels)
        self._pooling, self._frames, self._stride, self._top = pooling, frames, stride, top
        self._tensors = {name: tensor.float() for name, tensor in head.tensors.items()}
        self._memory: dict[str, SlidingWindow] = {}

    def settings(self) -> Mapping[str, Any]:
        return {
            "pooling": self._pooling,
            "frames": self._frames,
            "stride": self._stride,
            "top": self._top,
        }

    def __call__(self, features: Features) -> list[Result]:
        tokens = features.cls[: len(features.infos)].float().cpu().numpy()
        require_finite(tokens, features.infos, operator=self.name)
        results = []
        for info, token in zip(features.infos, tokens, strict=True):
            memory = self._memory.setdefault(info.stream, self._empty())
            window = memory.push(info, token)
            if window:
                results.append(self._record(window))
        return results

    def reset(self, stream: str, reason: str) -> list[Result]:
        memory = self._memory.pop(stream, None)
        window = memory.flush() if memory else None
        return [self._record(window)] if window else []

    def snapshot(self, stream: str) -> bytes:
        memory = self._memory.get(stream) or self._empty()
        return memory.snapshot()

    def restore(self, stream: str, state: bytes) -> None:
        self._memory[stream] = SlidingWindow.restored(
            state, frames=self._frames, stride=self._stride
        )

    def scores(self, window: Window) -> Tensor:
        """Probabilities of the classes, float32 `[classes]`.

        Computed on the CPU, one window at a time at one shape, so that batch mates, and which
        batch completed the window, change nothing.
        """
        pooled = self._pooled(torch.from_numpy(window.vectors))
        logits = self._tensors[_BIAS] + self._tensors[_WEIGHT] @ pooled
        return logits.softmax(dim=0)

    def _pooled(self, vectors: Tensor) -> Tensor:
        present = len(vectors)
        if self._pooling == "concat":  # a short window goes on with its last frame
            return vectors[[min(step, present - 1) for step in range(self._frames)]].flatten()
        padded = vectors.new_zeros((self._frames, vectors.shape[1]))
        padded[:present] = vectors
        if self._pooling == "mean":
            return padded.sum(dim=0) / present
        match: Tensor = padded @ self._tensors[_QUERY][0] / vectors.shape[1] ** 0.5
        match[present:] = -torch.inf
        return (padded * match.softmax(dim=0)[:, None]).sum(dim=0)

    def _record(self, window: Window) -> Result:
        first, last = window.infos[0], window.infos[-1]
        said = {
            "start": _place(first),
            "end": _place(last),
            "frames": len(window.infos),
            "partial": window.partial,
            "labels": self._best(self.scores(window)),
        }
        return Result(last, self.name, JSON, canonical_json(said), start=first)

    def _best(self, scores: Tensor) -> list[dict[str, Any]]:
        order = scores.argsort(descending=True, stable=True)[: self._top].tolist()
        return [
            {
                "id": number,
                "name": self._labels[number],
                "score": round(float(scores[number]), _DECIMALS),
            }
            for number in order
        ]

    def _empty(self) -> SlidingWindow:
        return SlidingWindow(self._frames, self._stride)


def action_layout(arch: Architecture, pooling: str, frames: int, classes: int) -> Layout:
    """Names and shapes of a head's tensors."""
    width = arch.width * (frames if pooling == "concat" else 1)
    query = {_QUERY: (1, arch.width)} if pooling == "attention" else {}
    return {_WEIGHT: (classes, width), _BIAS: (classes,), **query}


def build_action(settings: Mapping[str, Any], request: HeadRequest) -> Action:
    """Action as a user configured it.

    Args:
        settings: `stride`, `top`; `pooling` and `frames` too where the head is random, a trained
            one has its own.
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given = Settings("action", settings, ("pooling", "frames", "stride", "top"))
    head = None if request.wants_random else trained_head(request)
    facts = head.facts if head else {}
    pooling = given.choice("pooling", facts.get("pooling", POOLINGS[0]), POOLINGS)
    frames = given.whole("frames", facts.get("frames", FRAMES), low=1, high=_MAX_FRAMES)
    stride = given.whole("stride", min(STRIDE, frames), low=1, high=frames)
    top = given.whole("top", TOP, low=1, high=1000)
    labels = _labels(head, pooling, frames) if head else _RANDOM_LABELS
    if head is None:
        layout = action_layout(request.architecture, pooling, frames, len(labels))
        head = random_head(request, layout, {})
    return Action(
        head,
        request.architecture,
        labels,
        pooling=pooling,
        frames=frames,
        stride=stride,
        top=top,
    )


def _labels(head: Head, pooling: str, frames: int) -> tuple[str, ...]:
    """A trained head's labels; what else it was trained for must agree with the settings."""
    labels = head.facts.get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(n, str) for n in labels):
        raise head.wrong("its header must list labels, the names of its classes")
    for key, value in (("pooling", pooling), ("frames", frames)):
        if head.facts.get(key) != value:
            raise head.wrong(
                f"its header says {key} {head.facts.get(key)!r}, the settings {value!r}"
            )
    return tuple(labels)


def _place(info: FrameInfo) -> dict[str, str]:
    return {"position": info.position, "time": rfc3339(info.event_time_us)}
