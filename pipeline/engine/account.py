"""What is said of one stream until its next commit, and what became of each of its frames.

Results of operators in -> messages and counts out. Knows nothing of batches, chunks or sinks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from operators.frames import FrameInfo
from operators.operator import Operator, StreamOperator
from operators.result import Result
from operators.variant import prepared_variant
from pipeline.engine.placement import Placement
from pipeline.engine.still import Still
from pipeline.engine.variants import shots_variant
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.stream.chunk import End, Fault, Gap, Shot
from pipeline.stream.ledger import Ledger
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec


class Account:
    """Of one stream.

    Attributes:
        ledger: what became of its frames.
        still: which frame those that are not computed repeat.
    """

    def __init__(
        self,
        spec: StreamSpec,
        progress: Progress,
        placements: Sequence[Placement],
        publisher: Publisher,
    ) -> None:
        """Go on where `progress` stands."""
        self.still = Still(spec, placements, progress.still)
        self.ledger = Ledger(progress.ledger, progress.waiting)
        self._shots = shots_variant(spec)
        self._epoch = progress.epoch
        self._variants = {topic: own for one in placements for topic, own in one.variants.items()}
        self._publisher = publisher
        self._messages: list[Message] = []

    def take(
        self, operator: Operator, infos: Sequence[FrameInfo], results: Sequence[Result]
    ) -> None:
        """Frames that an operator took, and its results. One that remembers may speak of a frame
        later, the others never."""
        self.ledger.took(operator.name, infos)
        last = infos[-1].position
        ids = [
            message.id
            for result, message in zip(results, self._deliver(operator, results), strict=True)
            if result.info.position == last and result.start is None and not result.part
        ]
        self.still.note(operator.name, last, ids)
        if not isinstance(operator, StreamOperator) or not operator.topics:  # never says a thing
            self.ledger.settle(operator.name)

    def repeat(self, operator: Operator, info: FrameInfo, results: Sequence[Result]) -> bool:
        """A frame that is not computed, and what an operator says of it; whether the operator's
        records of the computed frame hold for it."""
        self.ledger.took(operator.name, [info])
        self._deliver(operator, results)
        if self.still.repeated(operator.name):
            return self.ledger.repeated(operator.name, info.position)
        silent = not isinstance(operator, StreamOperator) or not operator.topics
        if silent or not self.still.holds(operator.name):
            self.ledger.settle(operator.name)
        return False

    def end_still(self) -> None:
        """A frame is computed again."""
        self._messages += self.still.end(self._publisher, self._epoch)

    def forget(self, operator: Operator, results: Sequence[Result]) -> None:
        """An operator's memory was reset; its last results. Nothing is repeated to it until it is
        given a frame that is computed."""
        self.still.lose(operator.name)
        self._deliver(operator, results)
        self.ledger.settle(operator.name)

    def bury(self, operator: Operator, info: FrameInfo, error: Exception) -> None:
        """An operator failed on a frame: dead letter instead of a result."""
        self.ledger.add(operator.name, "deadletter", 1)
        self._messages.append(self._publisher.dead_letter(info, operator.name, error))

    def start(self, first: FrameInfo) -> None:
        """A session begins with this frame."""
        self._messages.append(self._publisher.started(first))

    def announce(self, entries: Sequence[Gap | Fault | End], progress: Progress) -> None:
        """Breaks and faults, where the stream stands."""
        for entry in entries:
            self._messages += self._publisher.announce(entry, progress, {})

    def tell(self, shot: Shot) -> None:
        """A shot is over; after a resume, maybe on a frame before it."""
        variant = prepared_variant(self._shots, shot.last.preparation)
        own = replace(shot, last=replace(shot.last, epoch=self._epoch))
        self._messages.append(self._publisher.shot(own, variant))

    def close(self) -> tuple[list[Message], dict[str, Any]]:
        """The messages, of which none are left then, and what of the progress is said here."""
        messages, self._messages = self._messages, []
        counts = {"ledger": self.ledger.counts(), "waiting": self.ledger.waiting()}
        return messages, {**counts, "still": self.still.to_json()}

    def _deliver(self, operator: Operator, results: Sequence[Result]) -> list[Message]:
        self.ledger.told(operator.name, results)
        messages = []
        for result in results:
            info = result.info
            if info.epoch != self._epoch:  # a span, after a resume, may end on a frame before it
                result = replace(result, info=replace(info, epoch=self._epoch))
            variant = prepared_variant(self._variants[result.operator], info.preparation)
            messages.append(self._publisher.record(result, variant, operator))
        self._messages += messages
        return messages
