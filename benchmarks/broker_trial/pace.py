"""An operator that takes a tenth of a second for a frame until a file is there; it says nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from operators.frames import Features
from operators.operator import Operator
from operators.result import Result

FILE = "BROKER_TRIAL_GO"  # names the file
FRAME_S = 0.1


class Pace(Operator):
    """So a replay has work left however long its brokers are in trouble, and then ends soon."""

    name = "pace"

    def __init__(self) -> None:
        self._go = Path(os.environ[FILE])

    def __call__(self, features: Features) -> Sequence[Result]:
        if not self._go.exists():
            time.sleep(FRAME_S * len(features.infos))
        return []
