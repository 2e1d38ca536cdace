"""What brokers that die, freeze and move do to a replay and a live run.

    python -m benchmarks.broker_trial kill-each [move-leaders ...] [--folder results/broker_trial]

Brokers, runs and the camera are real processes on loopback. The table at the end says what was
measured, and what the sink holds is held against an undisturbed run, the runs' own ledgers and
`dinostream audit`. The exit code is 0 where all goals were reached. Logs stay in the folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from benchmarks.broker_trial import epochs, mocked, single, three
from benchmarks.cluster_trial.figure import Figure, table

ALL = "all"
TRIALS = {name: room.run for room in (three, single, mocked, epochs) for name in room.TRIALS}


def one(name: str, folder: Path, port: int) -> list[Figure]:
    """Run one trial in a folder of its own; its figures."""
    shutil.rmtree(folder, ignore_errors=True)
    figures = []
    try:
        for figure in TRIALS[name](name, folder, port):
            print(f"{name}: {figure.what}: {figure.value:.4g} {figure.unit}", flush=True)
            figures.append(figure)
    except (TimeoutError, RuntimeError) as error:
        figures.append(Figure("given up", 1, "", goal=0, why=str(error)))
    return figures


def main() -> int:
    """Run what was asked for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.broker_trial",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "trial", nargs="+", choices=[*TRIALS, ALL], metavar="TRIAL", help=", ".join([*TRIALS, ALL])
    )
    parser.add_argument("--folder", type=Path, default=Path("results/broker_trial"))
    parser.add_argument("--port", type=int, default=19_092, help="the first of six in a row")
    chosen = parser.parse_args()
    names = list(TRIALS) if ALL in chosen.trial else chosen.trial
    folder = chosen.folder.resolve()
    rows = [(name, figure) for name in names for figure in one(name, folder / name, chosen.port)]
    print(table(rows))
    print(f"load {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores")
    return int(any(figure.missed for _, figure in rows))


if __name__ == "__main__":
    sys.exit(main())
