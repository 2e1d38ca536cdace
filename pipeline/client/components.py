"""What records of principal components hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.client.result import Result
from pipeline.records.payloads import rgb_pixels
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrincipalComponents(Result):
    """Attributes: rgb: uint8 `[h, w, 3]`, the first three as colours."""

    rgb: NDArray[np.uint8] = field(repr=False)


def principal_components(said: Mapping[str, Any], message: Message) -> PrincipalComponents:
    """Of a record of topic `pca`."""
    rgb = rgb_pixels(message)
    if rgb.shape[2:] != (3,):
        raise ValueError(f"a picture of shape {rgb.shape}, not [h, w, 3]")
    return PrincipalComponents(**said, rgb=rgb)
