"""What keeping costs: commits of a few cameras into a spill and out again, without a sink.

python -m benchmarks.spill FOLDER      # on the disk that is asked about
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.engine.line import MOST_BYTES
from pipeline.records.commit import Commit, Link
from pipeline.records.record import Message
from pipeline.sinks.spill.spill import Spill
from pipeline.stream.progress import Progress

CAMERAS, COMMITS, FRAMES, ROUNDS = 10, 400, 5, 3
VALUES = {"depth": 6000, "segmentation": 6000, "embedding": 1536, "depth.summary": 500}
HEADER_BYTES = 900  # of a record, as a frame of the demo has them
COUNTS = dict.fromkeys(("sampled", "published"), 123_456)


def commit(number: int, rng: random.Random) -> Commit:
    """Five frames of a camera."""
    stream = f"cam{number % CAMERAS}"
    attributes = {f"ce_a{n}": "x" * 40 for n in range(HEADER_BYTES // 50)}
    messages = tuple(
        Message(topic, stream, {"ce_id": f"{stream}/{number}", **attributes}, rng.randbytes(size))
        for _ in range(FRAMES)
        for topic, size in VALUES.items()
    )
    ledger = dict.fromkeys(VALUES, COUNTS)
    operators = {"action": "A" * 600}
    place = {"sequence": number, "epoch": 1, "ledger": ledger, "operators": operators}
    progress = Progress("0123456789ab", stream, **place)
    return Commit(messages, progress, Link(number, ledger, {one: one for one in VALUES}))


@contextmanager
def measured(what: str, size: int, records: int) -> Iterator[None]:
    """Prints throughput, and CPU time of this process, of a block."""
    cpu_s, began_s = time.process_time(), time.perf_counter()
    yield
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    print(
        f"  {what}: {size / 1e6 / wall_s:.0f} MB/s, {cpu_s / records * 1e6:.1f} us of CPU a record"
    )


def main() -> None:
    rng = random.Random(0)
    commits = [commit(number, rng) for number in range(COMMITS)]
    size = sum(one.size_bytes for one in commits)
    records = sum(len(one.messages) for one in commits)
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
        for together in (1, CAMERAS):
            print(f"{records} records, {size / 1e6:.0f} MB of values, {together} commits an fsync")
            for _ in range(ROUNDS):
                spill = Spill(Path(folder) / "log", most_bytes=1 << 33)
                with measured("kept", size, records):
                    for first in range(0, COMMITS, together):
                        spill.append(commits[first : first + together])
                with measured("read", size, records):
                    while spill.holds:
                        spill.take(MOST_BYTES)
                        spill.release()
                spill.close()


if __name__ == "__main__":
    main()
