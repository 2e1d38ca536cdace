"""How many frames there were, how many are left after each step, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.curate.harvest import Harvest
from pipeline.curate.selection import VERDICTS, Decision, Verdict

_STEPS: Mapping[Verdict, tuple[str, str]] = {  # what is left after it, why the others are not
    "refused": ("let in by the filter", "the filter refuses"),
    "duplicate": ("without repetitions", "repeat another one"),
    "reference": ("like no reference picture", "hang together with a reference picture"),
    "far": ("near to seeds", "far from all seeds"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What is left after it.

    Attributes:
        what: is left, for people.
        count: how many.
        gone: why the others are not, "" where nothing is said.
    """

    what: str
    count: int
    gone: str = ""


@dataclass(frozen=True, slots=True)
class Funnel:
    """
    Attributes:
        recordings: that were named.
        unreadable: those of which nothing was read.
        damaged: those of which not all was read.
        frames: that were decoded.
        looked_at: of these, the ones among which was chosen.
        shots: that the recordings have.
        unseen: shots without such a frame.
        verdicts: candidates of each.
        refusals: by what the user's filter says.
    """

    recordings: int
    unreadable: int
    damaged: int
    frames: int
    looked_at: int
    shots: int
    unseen: int
    verdicts: Mapping[Verdict, int]
    refusals: Mapping[str, int]

    @classmethod
    def of(cls, harvests: Sequence[Harvest], decisions: Iterable[Decision]) -> Funnel:
        """Of all recordings and their candidates."""
        decisions = list(decisions)
        counted = [one.counted for one in harvests]
        verdicts = Counter(one.verdict for one in decisions)
        refusals = Counter(one.reason for one in decisions if one.verdict == "refused")
        unreadable = sum(one.outcome == "rejected" for one in harvests)
        return cls(
            len(harvests),
            unreadable,
            sum(not one.ok for one in harvests) - unreadable,
            sum(one.decoded for one in counted),
            sum(one.looked_at for one in counted),
            sum(one.shots for one in counted),
            sum(one.unseen for one in counted),
            {verdict: verdicts[verdict] for verdict in VERDICTS},
            dict(sorted(refusals.items())),
        )

    @property
    def candidates(self) -> int:
        """One of each shot, or of each part of one."""
        return sum(self.verdicts.values())

    @property
    def taken(self) -> int:
        return self.verdicts["taken"]

    def steps(self) -> Iterator[Step]:
        """In their order; those that leave all out are left out."""
        yield Step("frames decoded", self.frames)
        yield Step("frames looked at", self.looked_at)
        without = f"{self.unseen} of {self.shots} shots have no frame that was looked at"
        yield Step("candidates, one per shot or part of it", self.candidates,
                   without if self.unseen else "")  # fmt: skip
        left = self.candidates
        for verdict, (what, why) in _STEPS.items():
            if gone := self.verdicts[verdict]:
                left -= gone
                yield Step(what, left, f"{gone} {why}")
        surplus = self.verdicts["surplus"]
        yield Step("pictures taken", self.taken,
                   f"{surplus} more than the target" if surplus else "")  # fmt: skip
