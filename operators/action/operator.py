"""What happens in a window of frames: vectors of frames over time in -> labels with scores out.

Frames are pooled over time (mean, concat or attention) and classified; one record per window, and
one per episode of windows with the same label. Must not know gaps or clocks: whoever calls it
resets it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.action.episodes import BACKGROUND, Episode, Episodes, Hysteresis
from operators.action.windows import SlidingWindow, Window
from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.operator import StreamOperator
from operators.result import JSON, Result, canonical_json
from operators.vector.classes import Classes
from operators.vector.embedding import unit_length
from operators.vector.frame_vector import FrameVector
from operators.vector.motion import MotionCells
from operators.vector.own_blocks import Tail, tail_layout
from operators.vector.pooling import QUERY, pool, pooled_width
from operators.vector.vector_head import VectorHead, linear_layout
from operators.weights.heads import Head, Layout

FRAMES = 8
STRIDE = 4
TOP = 5
THRESHOLD = 0.5  # of episodes, where neither the head nor a setting says another
LEAVE = 0.7

_FORMAT = 2  # 1 was the window alone
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class ActionWindows:
    """How frames become windows and windows episodes.

    Attributes:
        vector: the tokens of a frame that count.
        unit: frames' vectors are divided by their length, as published embeddings are.
        pooling: one of `operators.vector.pooling.POOLINGS`.
        frames: T, sampled frames in a window.
        stride: frames from the start of a window to the next one's.
        top: labels told of, the highest scores first.
        leave: share of its threshold below which a label's episode ends.
    """

    vector: FrameVector = field(default_factory=FrameVector)
    unit: bool = False
    pooling: str = "mean"
    frames: int = FRAMES
    stride: int = STRIDE
    top: int = TOP
    leave: float = LEAVE

    def layout(self, arch: Architecture) -> Layout:
        """Names and shapes of the pooling's own tensors."""
        return {QUERY: (1, self.vector.width(arch))} if self.pooling == "attention" else {}

    def width(self, arch: Architecture) -> int:
        """How many numbers a pooled window has."""
        return pooled_width(self.pooling, self.frames, self.vector.width(arch))


@dataclass(frozen=True, slots=True)
class _Memory:
    window: SlidingWindow
    episodes: Episodes


class Action(BatchOperator, StreamOperator):
    """Labels of every window and episodes of labels, for every stream.

    A short last window comes from `reset` where frames would else be in no window.
    """

    name = "action"
    topics = BUILT_IN["action"]
    version = 3  # 2: episodes; 3: sums in another order

    def __init__(
        self, head: Head, arch: Architecture, classes: Classes, windows: ActionWindows
    ) -> None:
        """
        Args:
            head: tensors of `operators.vector.vector_head`, `pool.query` for attention, and of
                blocks of its own (`operators.vector.own_blocks`).
            arch: the backbone's sizes.
            classes: their names, and from which score on each is said.
            windows: how frames become windows.

        Raises:
            WeightsError: the head does not fit the backbone, the classes or the pooling.
        """
        self._reader = _reader(head, arch, windows)
        width = pooled_width(windows.pooling, windows.frames, self._reader.width)
        further = {**windows.layout(arch), **tail_layout(head, arch)}
        self._head = VectorHead(head, width, len(classes.names), further)
        self._query = head.tensors[QUERY][0].float() if QUERY in further else None
        self.layers = self._reader.layers
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self._classes, self._windows = classes, windows
        self._rule = Hysteresis(_entries(classes), windows.leave)
        self._memory: dict[str, _Memory] = {}

    def settings(self) -> Mapping[str, Any]:
        said = self._windows
        thresholds = self._classes.thresholds
        return {
            "vector": said.vector.to_json(),
            "unit": said.unit,
            "pooling": said.pooling,
            "frames": said.frames,
            "stride": said.stride,
            "top": said.top,
            "leave": said.leave,
            "thresholds": None if thresholds is None else list(thresholds),
        }

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        return self._reader.patch_weights() if isinstance(self._reader, MotionCells) else {}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """Blocks of the head's own run as the backbone does; windows are classified on the CPU."""
        self._reader.to(device, dtype)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        return (self._reader.vectors(features, rows),)

    def say_all(
        self, infos: Sequence[FrameInfo], numbers: Sequence[Sequence[NDArray[Any]]]
    ) -> list[Result]:
        vectors = [unit_length(one) if self._windows.unit else one for (one,) in numbers]
        for info, vector in zip(infos, vectors, strict=True):  # before any of them is remembered
            require_finite(vector, info, operator=self.name)
        return super().say_all(infos, [(vector,) for vector in vectors])

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        (vector,) = numbers
        memory = self._memory.setdefault(info.stream, self._empty())
        window = memory.window.push(info, vector)
        return self._records(window, memory.episodes) if window else []

    def repeat(self, info: FrameInfo) -> list[Result]:
        memory = self._memory.setdefault(info.stream, self._empty())
        window = memory.window.repeat(info)
        return self._records(window, memory.episodes) if window else []

    def reset(self, stream: str, reason: str) -> list[Result]:
        memory = self._memory.pop(stream, None)
        if memory is None:
            return []
        window = memory.window.flush()
        results = self._records(window, memory.episodes) if window else []
        last = memory.episodes.flush()
        return [*results, self._episode(last)] if last else results

    def snapshot(self, stream: str) -> bytes:
        memory = self._memory.get(stream) or self._empty()
        state = {"format": _FORMAT, "episode": memory.episodes.to_json()}
        return canonical_json(state) + b"\n" + memory.window.snapshot()

    def restore(self, stream: str, state: bytes) -> None:
        line, _, rest = state.partition(b"\n")
        try:
            said = json.loads(line)
            told = said["episode"]
            if said["format"] != _FORMAT:
                raise ValueError(f"format {said['format']!r}")
            episode = None if told is None else Episode.from_json(told)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"action: not a state of format {_FORMAT} ({error})") from error
        frames, stride = self._windows.frames, self._windows.stride
        window = SlidingWindow.restored(rest, frames=frames, stride=stride)
        self._memory[stream] = _Memory(window, Episodes(self._rule, episode))

    def scores(self, window: Window) -> Tensor:
        """Probabilities of the classes, float32 `[classes]`.

        Computed on the CPU, one window at a time at one shape, so that batch mates, and which
        batch completed the window, change nothing.
        """
        own = self._windows
        vectors = torch.from_numpy(window.vectors)
        return self._head.scores(pool(vectors, own.pooling, own.frames, self._query)[None])[0]

    def _records(self, window: Window, episodes: Episodes) -> list[Result]:
        """The window's, behind that of an episode that was over before it."""
        scores = self.scores(window)
        first, last = window.infos[0], window.infos[-1]
        over = episodes.push((first, last), scores.tolist())
        said = {
            "start": first.place,
            "end": last.place,
            "frames": len(window.infos),
            "partial": window.partial,
            "labels": self._classes.best(scores.numpy(), self._windows.top),
        }
        record = Result(last, self.name, JSON, canonical_json(said), start=first)
        return [self._episode(over), record] if over else [record]

    def _episode(self, episode: Episode) -> Result:
        peak = {"score": round(episode.peak, _DECIMALS), **episode.peak_at.place}
        said = {
            "label": {"id": episode.label, "name": self._classes.names[episode.label]},
            "start": episode.start.place,
            "end": episode.end.place,
            "peak": peak,
            "windows": episode.windows,
        }
        topic = f"{self.name}.episodes"
        return Result(episode.end, topic, JSON, canonical_json(said), start=episode.start)

    def _empty(self) -> _Memory:
        window = SlidingWindow(self._windows.frames, self._windows.stride)
        return _Memory(window, Episodes(self._rule))


def _reader(head: Head, arch: Architecture, windows: ActionWindows) -> MotionCells | Tail:
    """What makes a frame's numbers."""
    if head.facts.get("classifier") == "motion":
        return MotionCells(head, arch)
    return Tail(head, arch, windows.vector)


def action_layout(
    arch: Architecture, pooling: str, frames: int, classes: int, vector: FrameVector | None = None
) -> Layout:
    """Names and shapes of a linear head's tensors."""
    windows = ActionWindows(vector or FrameVector(), pooling=pooling, frames=frames)
    return {**linear_layout(windows.width(arch), classes), **windows.layout(arch)}


def _entries(classes: Classes) -> tuple[float | None, ...]:
    """From which score on each class begins an episode."""
    thresholds = classes.thresholds or (THRESHOLD,) * len(classes.names)
    named = zip(classes.names, thresholds, strict=True)
    return tuple(None if name == BACKGROUND else threshold for name, threshold in named)
