"""What a configuration says of the shots of a stream."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from operators.errors import UsageError
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import MIN_S, THRESHOLD, ShotRule


class ShotsConfig(BaseModel):
    """How a cut is told from motion."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    threshold: Annotated[float, Field(gt=1, le=1000)] = THRESHOLD
    min_s: Annotated[float, Field(ge=0, le=86_400)] = MIN_S


Wanted = bool | ShotsConfig | None
"""`true`: as the defaults have it; nothing said: what is above it says."""


def shots_of(
    stream: str, own: Wanted, every: Wanted, samplings: tuple[Sampling, ...]
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
    if not wanted:
        return None
    if all(rule.mode == "keyframes" for rule in samplings):
        raise UsageError(
            f"{stream}: shots are looked for among all frames, and sampling.keyframes decodes the "
            "key frames alone; take sampling.fps or sampling.every, or leave shots out"
        )
    if isinstance(wanted, ShotsConfig):
        return ShotRule(wanted.threshold, wanted.min_s)
    return ShotRule()
