"""What keeps features: it takes every frame that is computed and says nothing of it.

An operator like others, so that the engine gives it frames, breaks and resumes in their order. What
a chunk brings is on the disk before the chunk is committed, and its snapshot says how much that
was; a resume cuts off whatever lies beyond.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from operators.archive.basis import Basis
from operators.archive.compression import compressed
from operators.archive.kind import Kind
from operators.archive.layout import Numbers as Kept
from operators.batch_operator import BatchOperator
from operators.finite import require_finite
from operators.format import Format
from operators.frames import Features, FrameInfo
from operators.operator import StreamOperator
from operators.result import Result
from pipeline.archive.archive import Archive
from pipeline.archive.draft import Draft
from pipeline.archive.header import Header
from pipeline.archive.session import SEGMENT_FRAMES, Session
from pipeline.errors import FencedError, RuntimeFailure, SourceError
from pipeline.stream.gate import Gate

if TYPE_CHECKING:
    from operators.batch_operator import Numbers

log = logging.getLogger(__name__)

NAME = "features"
_FORMAT = 2
_NO_BREAK = ("gap", "error", "overload")  # of an operator alone; those who read find them again
_OVER = ("session", "end")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose frames a stream's are.

    Attributes:
        job: that keeps them.
        samplings: the stream's rules, in canonical form.
        short_side: of a frame at the backbone, pixels.
        gate: which of them repeat one that is computed; None: none does.
    """

    job: str
    samplings: tuple[str, ...]
    short_side: int
    gate: Gate | None = None


class Keeping(BatchOperator, StreamOperator):
    """Of one engine."""

    name = NAME

    def __init__(self, archive: Archive, kind: Kind, basis: Basis) -> None:
        """
        Args:
            archive: where to.
            kind: what is kept of each frame.
            basis: the one that the kind names.

        Raises:
            WeightsError: the basis lacks what is to be kept.
        """
        self._archive = archive
        self._kind = kind
        self._directions = basis.chosen(kind.layout)
        self._owners: dict[str, Owner] = {}
        self._drafts: dict[str, list[Draft]] = {}  # the last one is open, unless it has ended
        self._breaks: dict[str, str] = {}  # before the next frame
        self.layers = kind.layout.blocks

    @property
    def identity(self) -> str:
        """Of what is kept."""
        return self._kind.identity

    @property
    def topics(self) -> Mapping[str, Format]:
        return {}

    def own(self, stream: str, owner: Owner) -> None:
        """A stream is about to be opened; what is known of an earlier one of its name is not its
        own."""
        self._owners[stream] = owner
        self._drafts[stream] = []
        self._breaks.pop(stream, None)

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        self._directions = {name: one.to(device) for name, one in self._directions.items()}

    def compute(self, features: Features, rows: slice) -> Numbers:
        taken = np.array(features.taken[rows], np.uint16)
        return (*compressed(features, self._kind.layout, self._directions, rows), taken)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        return self.say_all([info], [numbers])

    def say_all(
        self, infos: Sequence[FrameInfo], numbers: Sequence[Sequence[NDArray[Any]]]
    ) -> list[Result]:
        kept = [self._picture(info, *own[:3]) for info, own in zip(infos, numbers, strict=True)]
        for info, picture, own in zip(infos, kept, numbers, strict=True):
            broke = self._breaks.pop(info.stream, "")
            self._open(info).add(info, int(own[3]), picture, broke)
        return []

    def repeat_taken(self, info: FrameInfo, taken: int) -> list[Result]:
        """Of a frame that shows what the last one did it is kept that it does."""
        self._open(info).repeat(info, taken)
        return []

    def reset(self, stream: str, reason: str) -> list[Result]:
        drafts = self._drafts.get(stream, [])
        if reason in _OVER and drafts:
            drafts[-1].ended = True
        elif reason not in (*_OVER, *_NO_BREAK):
            self._breaks[stream] = reason
        return []

    def snapshot(self, stream: str) -> bytes:
        """How much of its last session is on the disk: all that came.

        Raises:
            FencedError: another writer has begun the session since.
            RuntimeFailure: it cannot be written, or somebody else's features lie there.
            SourceError: what lies there cannot be read.
        """
        drafts = self._drafts[stream]
        for draft in drafts:
            if draft.has_news:
                self._write(stream, draft)
        self._drafts[stream] = drafts[-1:]
        last = drafts[-1] if drafts else Draft("")
        return json.dumps({"format": _FORMAT, **last.said()}).encode()

    def restore(self, stream: str, state: bytes) -> None:
        """
        Raises:
            ValueError: a state of another version.
            RuntimeFailure: what was kept is not there any more.
        """
        said = json.loads(state)
        # Format 1 knew nothing of frames that repeat one, and need not where none does.
        if said["format"] not in ((_FORMAT,) if self._owners[stream].gate else (1, _FORMAT)):
            raise ValueError(f"features: snapshot {state[:40]!r} is of another version")
        draft = Draft.of(said)
        try:
            self._forget_later(stream, draft)
            if draft.session:
                self._session(stream, draft).cut(draft.frames)
        except OSError as error:
            raise self._failure(stream, error) from error
        self._drafts[stream] = [draft] if draft.session else []

    def _picture(
        self,
        info: FrameInfo,
        codes: NDArray[np.uint8],
        scales: NDArray[np.uint16],
        fine: NDArray[np.uint16],
    ) -> NDArray[np.uint8]:
        halves = scales.view(np.float16), fine.view(np.float16)
        for one in halves:  # also what float16 cannot hold
            require_finite(one, info, operator=self.name)
        return self._kind.layout.packed(Kept(codes.view(np.int8), *halves))

    def _open(self, info: FrameInfo) -> Draft:
        drafts = self._drafts[info.stream]
        if not drafts or drafts[-1].ended or drafts[-1].session != info.session:
            drafts.append(Draft(info.session, begin_us=info.event_time_us))
        drafts[-1].epoch = info.epoch
        return drafts[-1]

    def _session(self, stream: str, draft: Draft) -> Session:
        return self._archive.session(stream, draft.session)

    def _write(self, stream: str, draft: Draft) -> None:
        owner, session = self._owners[stream], self._session(stream, draft)
        header = Header(
            *(stream, draft.session, owner.job, owner.samplings, owner.short_side),
            *(draft.begin_us, self._kind),
            gate=asdict(owner.gate) if owner.gate else None,
        )
        try:
            if not draft.frames:
                _clear(session, header, draft.epoch)
            if draft.segment is None or draft.frames - draft.segment_begin >= SEGMENT_FRAMES:
                draft.segment = session.segment(draft.frames, draft.epoch)
                draft.segment_begin = draft.frames
            session.append(draft.segment, header, draft.groups())
        except OSError as error:
            raise self._failure(stream, error) from error
        draft.written()

    def _forget_later(self, stream: str, last: Draft) -> None:
        """Sessions that this job began behind the last one that is committed. One that cannot be
        read is no reason to stop: who reads the archive is told."""
        for session in self._archive.folders(stream):
            try:
                header = session.header()
            except SourceError as error:
                log.warning("%s; it is left as it is", error, extra={"stream": stream})
                continue
            if header is None or header.job != self._owners[stream].job:
                continue
            if header.session != last.session and header.begin_us > last.begin_us:
                session.remove()

    def _failure(self, stream: str, error: OSError) -> RuntimeFailure:
        return RuntimeFailure(
            f"features of {stream} cannot be kept in {self._archive.root}: "
            f"{error.strerror or error}; what was committed stays, and the same command goes on "
            "from there; make room, or leave out --keep-features"
        )


def _clear(session: Session, header: Header, epoch: int) -> None:
    """A session begins: what its job has of it is of an attempt that was never committed, or is
    done afresh."""
    segments = session.segments()
    if not segments:
        return
    there = session.header()
    if there is not None and there.job != header.job:
        raise RuntimeFailure(
            f"{session.folder} holds features that another job has kept; name another folder "
            "with --keep-features, or remove that one"
        )
    if (newer := segments[0].epoch) > epoch:
        raise FencedError(
            f"{session.folder}: another writer has begun it (epoch {newer}, this one is {epoch}), "
            "and this one stops; if no other process writes it, it is of another sink: remove it"
        )
    session.remove()
