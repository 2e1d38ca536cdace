"""Frames of one stream that its operators were not given: counted in its ledger, told as events.

Those that nobody was given are dropped; those that one operator was not given, because it keeps
failing on this camera or the engine is too slow, are that operator's alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from operators.frames import FrameInfo
from operators.operator import Operator, StreamOperator
from pipeline.engine.placement import Placement
from pipeline.engine.reasons import brief
from pipeline.engine.suspension import MOST_FAILURES, PAUSE_S, Suspension
from pipeline.stream.chunk import CAUSES, Entry, Fault, Frames, Gap, Trouble
from pipeline.stream.dropped import Dropped, Untold
from pipeline.stream.ledger import Ledger
from pipeline.stream.sampling import HALF
from pipeline.stream.spec import StreamSpec


class Shortfall:
    """Of one stream.

    Attributes:
        dropped: cause -> frames that no operator was given, in this run.
        cause: why an operator was not given a frame the last time.
    """

    def __init__(self, spec: StreamSpec, placements: Sequence[Placement], ledger: Ledger) -> None:
        """
        Args:
            spec: the stream.
            placements: the operators that run on it.
            ledger: where frames are counted.
        """
        self._spec = spec
        self._placements = {one.name: one for one in placements}
        self._ledger = ledger
        self._untold = Untold()
        self.dropped: Mapping[str, int] = self._untold.total
        self.cause = CAUSES[0]
        self._suspension = Suspension() if spec.live else None
        self._withheld: Counter[str] = Counter()  # from operators that are suspended
        self._given_up: tuple[str, ...] = ()
        self._seen: Counter[int] = Counter()  # frames by the rules that take them, where half go

    def gaps(self, taken: Sequence[int], cause: str) -> list[Gap]:
        """What is to be told of frames that are dropped.

        Args:
            taken: per frame, which rules had taken it.
            cause: why, one of `CAUSES`.
        """
        dropped = Dropped(self._spec.stream, len(self._spec.samplings))
        dropped.add(cause, taken)
        return dropped.take()

    def drop(self, gap: Gap) -> None:
        """Frames are dropped, as a gap tells."""
        cause = self._untold.add(gap)
        for name, placement in self._placements.items():
            self._count(name, cause, gap.dropped_of(placement.rule))

    def take(self) -> list[Gap]:
        """What was dropped since the last time, to be told."""
        return self._untold.take(self._spec.stream)

    def give_up(self, steps: Sequence[str]) -> Trouble | None:
        """Until the next time, some operators are given no frames, or all only every other one.

        Args:
            steps: names of operators, those that do not run here passed over, and `HALF`; none:
                all are given all.

        Returns:
            What is to be told of it; None where nothing changes.
        """
        own = tuple(step for step in steps if step == HALF or step in self._placements)
        if self._given_up == own:
            return None
        self._given_up = own
        if not own:
            return Trouble(self._spec.stream, "recovered", "the engine keeps up again")
        said = ", ".join("every other frame" if step == HALF else step for step in own)
        return Trouble(self._spec.stream, "overload", f"the engine is too slow; given up: {said}")

    @property
    def resting(self) -> list[StreamOperator]:
        """Operators that keep a memory and are given up."""
        own = [self._placements[step].remembers for step in self._given_up if step != HALF]
        return [operator for operator in own if operator]

    def thin(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """A chunk as it comes in, without every other frame where those are given up."""
        if HALF not in self._given_up:
            return entries
        return [part for entry in entries for part in self._halved(entry)]

    def _halved(self, entry: Entry) -> list[Entry]:
        if not isinstance(entry, Frames) or entry.repeats:  # repetitions cost nothing
            return [entry]
        kept, gone = [], []
        for row, mask in enumerate(entry.taken):  # each by itself, or a slow rule would have none
            self._seen[mask] += 1
            if self._seen[mask] % 2:
                gone.append(mask)
            else:
                kept.append(row)
        told: list[Entry] = [*self.gaps(gone, "overload")]
        return [*told, entry.only(kept)] if kept else told

    def given(self, frames: Frames) -> Frames | None:
        """A run without the frames that no operator is given any more, which are dropped; None:
        all are. What one of them alone is not given, `gives` says and counts."""
        if not self._given_up and not self._suspension:
            return frames
        rows = zip(frames.infos, frames.taken, strict=True)
        kept = [row for row, (info, mask) in enumerate(rows) if not self._withhold(info, mask)]
        if len(kept) == len(frames.infos):
            return frames
        return frames.only(kept) if kept else None

    def _withhold(self, info: FrameInfo, mask: int) -> bool:
        """Whether no operator that takes a frame is given it; counted then."""
        takers = [name for name, placement in self._placements.items() if placement.takes(mask)]
        causes = {name: self._withheld_for(name, info) for name in takers}
        if not causes or not all(causes.values()):
            return False
        for name, cause in causes.items():
            self._count_withheld(name, cause)
        told = min(causes.values())  # of several reasons one
        self._untold.add(Gap(self._spec.stream, "dropped", 1, cause=told))
        return True

    def gives(self, operator: Operator, info: FrameInfo, mask: int) -> bool:
        """Whether an operator runs here, takes a frame of this mask (`Frames.taken`) and is given
        it; counted where it takes it and is not."""
        placement = self._placements.get(operator.name)
        if placement is None or not placement.takes(mask):
            return False
        if cause := self._withheld_for(operator.name, info):
            self._count_withheld(operator.name, cause)
        return not cause

    def _withheld_for(self, operator: str, info: FrameInfo) -> str:
        """Why an operator is not given a frame that it takes; "" where it is."""
        if operator in self._given_up:
            return "overload"
        held = self._suspension and self._suspension.holds(operator, info.event_time_us)
        return "suspended" if held else ""

    def _count_withheld(self, operator: str, cause: str) -> None:
        self._withheld[operator] += cause == "suspended"
        self._count(operator, cause, 1)

    def fail(self, operator: Operator, info: FrameInfo, error: Exception) -> list[Fault]:
        """An operator failed on a frame; that it is suspended, where it now is."""
        name = operator.name
        if self._suspension is None or not self._suspension.fail(name, info.event_time_us):
            return []
        why = f"{type(error).__name__}: {error}"
        said = f"{name} failed on {MOST_FAILURES} frames in a row and is left out for {PAUSE_S:g} s"
        return [Fault(self._spec.stream, "suspended", brief(f"{said}; the last: {why}"))]

    def succeed(self, operator: Operator) -> list[Fault]:
        """An operator did a frame; that it is no longer suspended, where it was."""
        name = operator.name
        if self._suspension is None or not self._suspension.succeed(name):
            return []
        said = f"{name} is given frames again; {self._withheld.pop(name, 0)} were left out"
        return [Fault(self._spec.stream, "restored", said)]

    def _count(self, operator: str, cause: str, frames: int) -> None:
        self.cause = cause
        for counter in ("dropped", f"dropped_{cause}"):
            self._ledger.add(operator, counter, frames)
