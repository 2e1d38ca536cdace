"""What a commit writes beside its records: progress, and marks where the last is too far away."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.records.commit import Commit
from pipeline.records.mark import Mark, Place
from pipeline.records.message import claim_message, progress_message, progress_tombstone
from pipeline.records.record import Message
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.writer import Writer


class Marks:
    """Where the last marks of one writer's streams point to."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def forget(self) -> None:
        """The streams were claimed anew: a mark of each is without a place."""
        self._places = {}

    def write(self, writer: Writer, commits: Sequence[Commit], deadline: Deadline) -> None:
        """Records and progress; a stream's last progress is a mark, others bring one where the mark
        before is too far away. Errors as of `Writer.write`."""
        newest = {commit.progress.stream: commit.progress for commit in commits}.values()
        going = [progress for progress in newest if progress.running]
        ended = [progress for progress in newest if not progress.running]
        kept = {one.stream: self._places[one.stream] for one in going if one.stream in self._places}

        def marks(places: Sequence[Place]) -> list[Message]:
            found = dict(zip((one.stream for one in going), places[len(ended) :], strict=True))
            far = [
                one
                for one in going
                if not (one.stream in kept and kept[one.stream].reaches(found[one.stream]))
            ]
            kept.update({one.stream: found[one.stream] for one in far})
            return [claim_message(Mark(one, writer.name, found[one.stream])) for one in far]

        records = [message for commit in commits for message in commit.messages]
        claims = [claim_message(Mark(one.settled())) for one in ended]
        places = [*map(progress_tombstone, ended), *map(progress_message, going)]
        writer.write([records, claims, places], deadline, then=marks)
        for one in ended:
            self._places.pop(one.stream, None)
        self._places |= kept
