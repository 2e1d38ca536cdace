"""An operator that lets so many frames of a process pass and then waits for a file: a job has
committed something by then and has most of it to do, however fast the machine is."""

import os
import time
from pathlib import Path

from operators.operator import Operator

FILE = "DINOSTREAM_TEST_BRAKE"  # names the file
PASSED = 48  # frames: three chunks, of which two are committed


class Brake(Operator):
    name = "brake"

    def __init__(self):
        self._go = Path(os.environ[FILE])
        self._seen = 0

    def __call__(self, features):
        self._seen += len(features.infos)
        while self._seen > PASSED and not self._go.exists():
            time.sleep(0.02)
        return []
