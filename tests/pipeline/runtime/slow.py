"""An operator that takes its time until a file is there: a job is not over before a test has
disturbed it, however fast the machine is."""

import time
from pathlib import Path

from operators.operator import Operator

FRAME_S = 0.2  # a busy machine takes half a minute to start who takes over


class Slow(Operator):
    name = "slow"

    def __init__(self, *, folder):
        self._go = Path(folder) / "go"

    def __call__(self, features):
        for _ in features.infos:
            if not self._go.exists():
                time.sleep(FRAME_S)
        return []
