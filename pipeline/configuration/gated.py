"""What a configuration says of frames that need not be computed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pipeline.stream.gate import AT_LEAST_EVERY_S, THRESHOLD, Gate


class GateConfig(BaseModel):
    """Which frames are not computed, because they show what the last one did; at least every 0 s
    means all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    threshold: Annotated[int, Field(ge=1, le=255)] = THRESHOLD
    at_least_every_s: Annotated[float, Field(ge=0, le=86_400)] = AT_LEAST_EVERY_S


def gate_of(wanted: GateConfig | None) -> Gate | None:
    """As decoding wants it; None: every frame is computed."""
    if wanted is None or not wanted.at_least_every_s:
        return None
    return Gate(wanted.threshold, wanted.at_least_every_s)
