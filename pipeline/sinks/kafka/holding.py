"""Which streams a writer holds, and how they are to stand when it takes some. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.sinks.fence import claimed, fenced
from pipeline.sinks.kafka.claims import Decision
from pipeline.sinks.kafka.progress import Standing
from pipeline.stream.progress import Progress

Plan = tuple[Mapping[str, str], Decision]
"""Stream -> job of all that is asked for, and what is decided when it is known how they stand."""


class Holding:
    """The streams of one writer.

    Attributes:
        standing: stream -> where it stands, as far as this writer knows.
    """

    def __init__(self) -> None:
        self.standing: dict[str, Progress] = {}
        self._resumed: set[str] = set()

    @property
    def held(self) -> list[Progress]:
        return [progress for progress in self.standing.values() if progress.running]

    def claim(self, jobs: Mapping[str, str], *, fresh: bool) -> Plan:
        """To claim streams, beside those that are held but for what was resumed."""
        for stream in self._resumed - jobs.keys():
            self.standing.pop(stream, None)
        self._resumed = set()
        held = {stream: job for stream, job in self._jobs().items() if stream not in jobs}

        def decide(found: Standing) -> Mapping[str, Progress]:
            decided = {stream: self._kept(stream, found) for stream in held}
            for stream, job in jobs.items():
                known = None if fresh else found.progress(job, stream)
                if known is None or not known.done:
                    known = claimed(known or Progress(job, stream), found.epoch(stream))
                decided[stream] = known
            return decided

        return {**held, **jobs}, decide

    def resume(self, held: Sequence[Progress]) -> Plan:
        """To go on as another writer did, with those of its streams that are nobody else's."""
        jobs = {one.stream: one.job for one in held}
        self._resumed |= jobs.keys()

        def decide(found: Standing) -> Mapping[str, Progress]:
            ours = [one for one in held if found.epoch(one.stream) == one.epoch]
            stand = {one.stream: found.progress(one.job, one.stream) for one in ours}
            return {stream: progress for stream, progress in stand.items() if progress}

        return jobs, decide

    def take_back(self) -> Plan:
        """To go on with what is held; if somebody else has claimed one of them, deciding raises
        `FencedError`, before anybody is fenced."""
        jobs = self._jobs()
        return jobs, lambda found: {stream: self._kept(stream, found) for stream in jobs}

    def _jobs(self) -> dict[str, str]:
        return {one.stream: one.job for one in self.held}

    def _kept(self, stream: str, found: Standing) -> Progress:
        ours = self.standing[stream]
        if found.epoch(stream) > ours.epoch:
            raise fenced(stream, found.epoch(stream), ours.epoch)
        return found.progress(ours.job, stream) or ours
