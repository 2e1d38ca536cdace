"""Which of the candidates are wanted."""

from __future__ import annotations

from dataclasses import dataclass

from operators.errors import UsageError
from operators.groups.grid import Units
from pipeline.dedupe.calibration import Calibration

PER_SEED, MORE_THAN = 4, 3


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures that a user has shown.

    Attributes:
        names: of their files.
        units: float32 `[n, D]`, their vectors.
    """

    names: tuple[str, ...]
    units: Units


@dataclass(frozen=True, slots=True)
class Wish:
    """
    Attributes:
        target: how many pictures.
        threshold: cosine from which on two are one, of vectors as they are compared.
        calibration: how they are compared; None: as they are. Its own threshold may be another.
        references: what is like one of these is left out; None: there are none.
        reference_threshold: cosine from which on something is like them; None: `threshold`.
        seeds: what is near to these is taken; None: everything is.
        per_seed: so many of each seed's nearest.
        clusters: instead: of so many clusters those that hold `more_than` seeds.
        more_than: seeds.
        seed: of the draws.
    """

    target: int
    threshold: float
    calibration: Calibration | None = None
    references: Shown | None = None
    seeds: Shown | None = None
    per_seed: int = PER_SEED
    clusters: int | None = None
    more_than: int = MORE_THAN
    seed: int = 0
    reference_threshold: float | None = None

    @property
    def compared(self) -> str:
        """What is done to vectors before: `raw` is nothing."""
        return self.calibration.comparison if self.calibration else "raw"

    @property
    def measured(self) -> bool:
        """The threshold is the calibration's, whose precision holds for it."""
        return self.calibration is not None and self.threshold == self.calibration.point.threshold

    @property
    def reference_cosine(self) -> float:
        """From which on something is like a reference."""
        own = self.reference_threshold
        return self.threshold if own is None else own

    def __post_init__(self) -> None:
        if self.target < 1 or self.per_seed < 1:
            raise UsageError(
                f"want a target and a number per seed from 1, got {self.target}, {self.per_seed}"
            )
