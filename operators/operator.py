"""The contract of an operator: features of a batch in, results out.

Users write their own operators against these two classes; docs/writing-an-operator.md shows how.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from operators.format import Format

if TYPE_CHECKING:
    import torch

    from operators.frames import Features, FrameInfo
    from operators.places.places import Places
    from operators.result import Result


class Operator(ABC):
    """Reads features, remembers nothing. One instance per engine, called from one thread.

    Attributes:
        name: topic, configuration key and metric label.
        version: raise it when the same settings give another payload.
        layers: backbone blocks it reads before the final norm (`Features.layers`).
        topics: every `Result.operator` it may emit, and what values there are: JSON without a
            schema under its own name, unless it says otherwise.
        placed: it reads what is drawn over a stream's pictures (`place`), which is part of its
            records' identity on that stream.
        sees_pixels: it looks at pixels beside features, or has them computed again from those.
        untrained: its head is random; its records say so.
        rendered_only: its head, or the backbone of one without, has learnt from rendered scenes
            alone; its records of footage say so.
        head_sha256: identity of its head's weights, None where it has none.
    """

    name: str
    version: int = 1
    layers: Sequence[int] = ()
    placed: bool = False
    sees_pixels: bool = False
    untrained: bool = False
    rendered_only: bool = False
    head_sha256: str | None = None

    @property
    def topics(self) -> Mapping[str, Format]:
        """Every kind of record this operator may emit; of a topic never two formats."""
        return {self.name: Format()}

    def patch_weights(self) -> Mapping[int | None, torch.Tensor]:
        """What its head multiplies patches with, where it begins like that: block before the final
        norm, or None: the last one after it -> float32 `[n, D]`. A basis that patches are kept in
        (`operators.archive`) keeps these directions before others."""
        return {}

    @property
    def stream_hashes(self) -> Mapping[str, str]:
        """Stream -> hash of what its payloads depend on there alone, such as a camera's own
        calibration; part of its records' identity on that stream."""
        return {}

    def settings(self) -> Mapping[str, Any]:
        """Every setting that can change a payload, as JSON values; part of records' identity."""
        return {}

    def label_sets(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Label sets its records refer to: name -> [{id, name, rgb}]. Published once per run."""
        return {}

    def beside(self, operators: Mapping[str, Operator]) -> Operator:
        """The same operator in a job with these others, by their keys: one that reads what others
        compute keeps them, and has what changes that in its settings. Called once, before `load`.

        Raises:
            Absent: one that it needs is not there.
        """
        return self

    def place(self, stream: str, places: Places | None) -> None:  # noqa: B027  # optional
        """What is drawn over a stream's pictures; None: nothing. Called before its first frame,
        whenever it is opened."""

    def load(self, device: torch.device, dtype: torch.dtype) -> None:  # noqa: B027  # optional
        """Put weights on the device. Called once, before the first batch."""

    @abstractmethod
    def __call__(self, features: Features) -> list[Result]:
        """Results of the first `len(features.infos)` rows, in frame order.

        Called once per batch, never concurrently. Must not keep `features` or views of its tensors.
        An exception sends the frame that caused it to the dead letters; the others are redone.
        """

    def close(self) -> None:  # noqa: B027  # optional
        """Release what `load` took. Called once; not called when the process is killed."""


class StreamOperator(Operator):
    """Also remembers something per stream: a window, a steady colour basis, a track.

    Frames of one stream arrive in order and never across a gap without `reset` in between.
    """

    @abstractmethod
    def reset(self, stream: str, reason: str) -> list[Result]:
        """Forget the stream, maybe with last results. Called at gaps, new sessions and the end, and
        when the engine is too slow and gives the operator up."""

    def repeat(self, info: FrameInfo) -> list[Result]:
        """What there is to say of a frame that is not computed, because it shows what the stream's
        last one did; of that, everything still holds. Called in the order of the frames, and behind
        a `reset` not before another frame is computed. An operator that has none runs on no stream
        with a `gate`."""
        raise NotImplementedError

    def repeat_taken(self, info: FrameInfo, taken: int) -> list[Result]:
        """The same, for whoever wants to know which sampling rules of the stream take the frame:
        bit i of `taken` for rule i. It is this that is called."""
        return self.repeat(info)

    @abstractmethod
    def snapshot(self, stream: str) -> bytes:
        """Its memory of one stream: small, versioned, no pickle. Called at every commit."""

    @abstractmethod
    def restore(self, stream: str, state: bytes) -> None:
        """Continue as if never interrupted. Called before the first frame after a resume."""
