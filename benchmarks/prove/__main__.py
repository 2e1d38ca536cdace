"""Kill every part of a replay at random points, and hold what it has written to an undisturbed one.

    python -m benchmarks.prove --times 25 --seed 1      all sinks and runtimes: 45 minutes
    python -m benchmarks.prove --times 3 --sink sqlite --runtime inline

Driver, decode processes, decode actors, engine, sink and broker are killed by SIGKILL, in a random
order; a driver or broker is started again, the others have to come back by themselves. The exit
code is 0 where every record of the undisturbed replay is there once, with the same payload, and
nothing else, and an audit finds it complete. Logs stay in the folder.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.broker_trial.node import Node
from benchmarks.prove.footage import write_footage
from benchmarks.prove.holdings import Difference, Holdings, difference, faults, holdings
from benchmarks.prove.job import Job
from benchmarks.prove.plan import FRAMES_PER_KILL, TAIL_FRAMES, Kill, plan
from benchmarks.prove.victims import BROKER, victims

SINKS, RUNTIMES = ("sqlite", "kafka"), ("inline", "ray")


def main() -> int:
    """Run what was asked for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.prove",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sink", action="append", choices=SINKS, help="default: both")
    parser.add_argument("--runtime", action="append", choices=RUNTIMES, help="default: both")
    parser.add_argument("--times", type=int, default=25, help="kills of each part (default: 25)")
    parser.add_argument("--seed", type=int, default=1, help="of the points (default: 1)")
    parser.add_argument("--folder", type=Path, default=Path("results/prove"))
    chosen = parser.parse_args()
    clean = True
    for sink in chosen.sink or SINKS:
        for runtime in chosen.runtime or RUNTIMES:
            folder = chosen.folder.resolve() / f"{sink}-{runtime}"
            found = prove(sink, runtime, chosen.times, chosen.seed, folder)
            print(f"{sink}, {runtime}: {said(found)}", flush=True)
            clean &= not found.breaches
    return 0 if clean else 1


def prove(sink: str, runtime: str, times: int, seed: int, folder: Path) -> Difference:
    """Run one job and kill every part of it so many times.

    Args:
        sink, runtime: of the job.
        times: kills of each part.
        seed: of their order and points.
        folder: of everything it writes; emptied first.

    Raises:
        RuntimeError, TimeoutError: the job ended, or did not go on, after a kill.
    """
    shutil.rmtree(folder, ignore_errors=True)
    parts = victims(sink, runtime)
    frames = FRAMES_PER_KILL * times * len(parts) + TAIL_FRAMES
    footage = write_footage(folder / "footage", frames)
    right = undisturbed(footage, folder)
    with sink_of(sink, folder) as (address, broker):
        job = Job(footage, address, runtime, folder / "job.log")
        with closing(job):
            for number, kill in enumerate(plan(parts, times, frames, seed), start=1):
                strike(kill, job, broker)
                print(f"{number}: {kill.victim} at {kill.frames} of {frames}", file=sys.stderr)
            if code := job.finish():
                raise RuntimeError(f"the job ended with {code}; see {job.log}")
        return difference(holdings(address), right, faults(address))


def undisturbed(footage: Path, folder: Path) -> Holdings:
    """What nobody killed has written."""
    job = Job(footage, f"sqlite:{folder}/undisturbed.db", "inline", folder / "undisturbed.log")
    with closing(job):
        if code := job.finish():
            raise RuntimeError(f"nobody was killed, and the job ended with {code}; see {job.log}")
    return holdings(job.sink)


def strike(kill: Kill, job: Job, broker: Node | None) -> None:
    """Kill one part when it is its turn."""
    job.reach(kill.frames)
    time.sleep(kill.delay_s)
    if kill.victim == BROKER:
        assert broker
        job.note()
        broker.kill()
        broker.start()
    else:
        job.kill(kill.victim)


@contextmanager
def sink_of(kind: str, folder: Path) -> Iterator[tuple[str, Node | None]]:
    """A sink's address, and the broker behind it."""
    if kind == "sqlite":
        yield f"sqlite:{folder}/killed.db", None
        return
    broker = Node(folder / "kafka")
    broker.start()
    try:
        yield broker.uri, broker
    finally:
        broker.end()


def said(found: Difference) -> str:
    """For a person."""
    return (
        f"{found.records} records, {found.lost} lost, {found.doubled} doubled, {found.altered} "
        f"altered, {found.invented} invented, {found.faults} faults found by audit"
    )


if __name__ == "__main__":
    sys.exit(main())
