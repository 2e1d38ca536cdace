"""The footage that records were made of: found again by what it is, never by where it lies.

Sources as the user names them -> what decodes one frame of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.configuration.source_plan import SourcePlan
from pipeline.configuration.sources import plan_recordings
from pipeline.media.tape import sessions_of, tape_stream
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

EVERY = (Sampling("all"),)
EVEN = 2  # pixels that sides are multiples of
ONE_BY_ONE_MS = 1  # each frame comes as soon as it is decoded


class Footage:
    """Recordings by their sessions, which are fingerprints of what they hold, and tapes by their
    streams."""

    def __init__(self, plans: Iterable[SourcePlan]) -> None:
        self._recordings: dict[str, SourcePlan] = {}
        self._tapes: dict[str, list[SourcePlan]] = {}
        for plan in plans:
            if plan.taped:
                self._tapes.setdefault(tape_stream(plan.url) or plan.stream, []).append(plan)
            else:
                self._recordings[plan.session] = plan

    @classmethod
    def of(cls, sources: Sequence[str]) -> Footage:
        """Files, folders, globs, http(s) files, S3 objects, tapes and `synthetic:` URIs.

        Raises:
            UsageError: nothing there, a camera, or twice the same.
        """
        return cls(plan_recordings(sources))

    def __bool__(self) -> bool:
        return bool(self._recordings or self._tapes)

    def spec(
        self, stream: str, session: str, position: str, time_us: int, side: int
    ) -> StreamSpec | None:
        """What decodes one frame and those behind it; None: the footage is not here.

        Args:
            stream, session, position, time_us: of a record; event time in microseconds since the
                epoch.
            side: short side, pixels; a recording's frames are no larger than they are.
        """
        plan = self._plan(stream, session)
        if plan is None:
            return None
        return StreamSpec(
            plan.stream,
            plan.url,
            session=session,
            samplings=EVERY,
            short_side=side,
            patch=EVEN,
            chunk_ms=ONE_BY_ONE_MS,
            taped=plan.taped,
            at=(session, position, time_us),
        )

    def holds(self, stream: str, session: str) -> bool:
        """Whether the session is there, as far as can be told without opening it."""
        return self._plan(stream, session) is not None

    def source(self, stream: str, session: str) -> str | None:
        """Where the session's footage lies, as the user named it; None: it is not here."""
        plan = self._plan(stream, session)
        return None if plan is None else plan.url

    def _plan(self, stream: str, session: str) -> SourcePlan | None:
        if session in self._recordings:
            return self._recordings[session]
        for plan in self._tapes.get(stream, ()):  # they grow, and their oldest go
            with suppress(OSError):  # nothing is taped yet, or elsewhere
                if any(one[0].session == session for one in sessions_of(Path(plan.url))):
                    return plan
        return None
