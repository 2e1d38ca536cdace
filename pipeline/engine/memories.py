"""What operators remember of one stream, and what tells them of gaps; kept in its progress."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from operators.frames import FrameInfo
from operators.operator import StreamOperator
from operators.result import Result
from pipeline.engine.placement import Placement
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import GapDetector


class Memories:
    """Of all operators that run on a stream."""

    def __init__(self, placements: Sequence[Placement], progress: Progress) -> None:
        """Go on where `progress` stands."""
        self._stream = progress.stream
        self._placements = placements
        self._gaps = {p.name: GapDetector(p.sampling) for p in placements}
        for placement in placements:
            state = progress.operators.get(placement.name)
            if placement.remembers and state is not None:
                placement.remembers.restore(self._stream, base64.b64decode(state))
            elif placement.remembers:  # what it remembers is another stream's, of the same name
                placement.remembers.reset(self._stream, "session")
            gaps = progress.gaps.get(placement.name)
            if gaps is not None:
                self._gaps[placement.name].restore(gaps)

    def gaps_before(self, operator: str, infos: Sequence[FrameInfo]) -> list[bool]:
        """Whether a gap lies before each frame that the operator takes; once for each, in order."""
        is_gap = self._gaps[operator].is_gap
        return [is_gap(info.event_time_us) for info in infos]

    def reset(self, reason: str) -> Iterator[tuple[StreamOperator, Sequence[Result]]]:
        """Forget all, operator by operator; what those say that remembered something."""
        for placement in self._placements:
            if operator := placement.remembers:
                yield operator, operator.reset(self._stream, reason)
            self._gaps[placement.name] = GapDetector(placement.sampling)

    def snapshots(self) -> dict[str, str]:
        """Operator -> base64 of what it remembers."""
        return {
            p.name: base64.b64encode(p.remembers.snapshot(self._stream)).decode()
            for p in self._placements
            if p.remembers
        }

    def gaps(self) -> dict[str, Any]:
        """Operator -> state of its gap detector, JSON values."""
        return {name: detector.snapshot() for name, detector in self._gaps.items()}
