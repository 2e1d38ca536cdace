"""Which kept frames a sampling rule takes: those that the same rule took when they were kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from operators.errors import UsageError
from pipeline.stream.sampling import Sampling

ALL = Sampling("all")


def check_rules(kept: Sequence[str], wanted: Sequence[Sampling]) -> None:
    """
    Args:
        kept: the rules of the run that kept the frames, in canonical form.
        wanted: those of this run.

    Raises:
        UsageError: one is none of them. Which frames it would have taken is not known any more.
    """
    for rule in wanted:
        if rule != ALL and rule.canonical() not in kept:
            raise UsageError(
                f"what was kept are frames by {', '.join(kept)}, and {rule} would take others; "
                "sample by one of those, or take --all that was kept"
            )


def masks(kept: Sequence[str], wanted: Sequence[Sampling]) -> Callable[[int], int]:
    """Which rules took a frame when it was kept -> which of this run's take it, bit by bit.

    Args:
        kept, wanted: as of `check_rules`.
    """
    bits = [None if rule == ALL else kept.index(rule.canonical()) for rule in wanted]

    def of(taken: int) -> int:
        return sum((bit is None or taken >> bit & 1) << rule for rule, bit in enumerate(bits))

    return of
