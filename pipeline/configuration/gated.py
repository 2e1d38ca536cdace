"""What a configuration says of frames that need not be computed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.stream.gate import AT_LEAST_EVERY_S, THRESHOLD, Gate


class GateConfig(BaseModel):
    """Which frames are not computed, because they show what the last one did."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    threshold: Annotated[int, Field(ge=1, le=255)] = THRESHOLD
    at_least_every_s: Annotated[float, Field(gt=0, le=86_400)] = AT_LEAST_EVERY_S


StreamGate = GateConfig | Literal[False] | None
"""Of one stream, in the place of that of all; False: it has none."""


def gate_of(every: GateConfig | None, own: StreamGate = None) -> Gate | None:
    """A stream's gate.

    Args:
        every: of all streams.
        own: of this one.
    """
    wanted = every if own is None else own
    return Gate(wanted.threshold, wanted.at_least_every_s) if wanted else None
