"""An operator that takes a tenth of a second for a frame, on any machine."""

from __future__ import annotations

import time
from collections.abc import Sequence

from operators.frames import Features
from operators.operator import Operator
from operators.result import Result

FRAME_S = 0.1


class Slow(Operator):
    """Says nothing."""

    name = "slow"

    def __call__(self, features: Features) -> Sequence[Result]:
        time.sleep(FRAME_S * len(features.infos))
        return []
