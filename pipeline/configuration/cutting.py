"""What a configuration says of the shots of a stream."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from operators.errors import UsageError
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import MIN_S, THRESHOLD, ShotRule


def _threshold(value: float) -> float:
    if value and value <= 1:
        raise ValueError("should be above 1, or 0 where no shots are looked for")
    return value


def _as_table(value: object) -> object:
    """`true` is all defaults, `false` says that there are none."""
    if isinstance(value, bool):
        return {} if value else {"threshold": 0}
    return value


class ShotsConfig(BaseModel):
    """How a cut is told from motion; threshold 0: nobody looks for one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    threshold: Annotated[float, Field(ge=0, le=1000), AfterValidator(_threshold)] = THRESHOLD
    min_s: Annotated[float, Field(ge=0, le=86_400)] = MIN_S


Wanted = Annotated[ShotsConfig | None, BeforeValidator(_as_table)]
"""Nothing said of a stream: what is said of all."""


def shots_of(
    stream: str,
    own: ShotsConfig | None,
    every: ShotsConfig | None,
    samplings: tuple[Sampling, ...],
) -> ShotRule | None:
    """As decoding wants it; None: nobody looks for shots.

    Args:
        stream: its id.
        own: what it says itself.
        every: what is said of all.
        samplings: its rules.

    Raises:
        UsageError: only its key frames are decoded.
    """
    wanted = every if own is None else own
    if wanted is None or not wanted.threshold:
        return None
    if all(rule.mode == "keyframes" for rule in samplings):
        raise UsageError(
            f"{stream}: shots are looked for among all frames, and sampling.keyframes decodes the "
            "key frames alone; take sampling.fps or sampling.every, or leave shots out"
        )
    return ShotRule(wanted.threshold, wanted.min_s)
