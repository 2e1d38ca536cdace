"""What a real cluster does when its parts are killed, frozen, cut off, added and taken away.

    python -m benchmarks.cluster_trial kill-node [freeze-node ...] [--folder results/cluster_trial]

Every machine is a set of namespaces on this one (root; iproute2 and util-linux), with `ray start`
in it; cameras and broker are real. The table at the end says what was measured, and what the sink
holds is held to its laws. The exit code is 0 where all goals were reached. Logs stay in the folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from benchmarks.cluster_trial.cluster import JARS, Cluster
from benchmarks.cluster_trial.figure import Figure, table
from benchmarks.cluster_trial.laws import broken
from benchmarks.cluster_trial.machine import plug_in_switch
from benchmarks.cluster_trial.trials import TRIALS

ALL = "all"
ISOLATED = ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
_INSIDE = "CLUSTER_TRIAL_INSIDE"


def one(name: str, folder: Path) -> list[Figure]:
    """Run one trial in a folder of its own; its figures, the last of which is of the laws."""
    shutil.rmtree(folder, ignore_errors=True)
    figures = []
    with Cluster(folder) as cluster:
        try:
            for figure in TRIALS[name](cluster):
                print(f"{name}: {figure.what}: {figure.value:.4g} {figure.unit}", flush=True)
                figures.append(figure)
        except TimeoutError as error:
            figures.append(Figure("given up", 1, "", goal=0, why=str(error)))
        deliveries = cluster.deliveries.finish()
    breaches = broken(deliveries)
    print("\n".join(breaches), file=sys.stderr)
    told = f"{len(deliveries)} records; load {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores"
    return [*figures, Figure("laws of records broken", len(breaches), "", goal=0, why=told)]


def main() -> int:
    """Run what was asked for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cluster_trial",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "trial", nargs="+", choices=[*TRIALS, ALL], metavar="TRIAL", help=", ".join([*TRIALS, ALL])
    )
    parser.add_argument("--folder", type=Path, default=Path("results/cluster_trial"))
    chosen = parser.parse_args()
    if os.geteuid():
        parser.error("namespaces need root; run it as root, in a container that may make them")
    if not JARS.is_dir():  # and no network to fetch it over, once inside
        parser.error(f"no Kafka in {JARS}; deploy/kafka/broker.sh start, and stop, fetch it once")
    if _INSIDE not in os.environ:  # what it starts ends with it, and its network is nobody's
        again = [sys.executable, "-m", "benchmarks.cluster_trial", *sys.argv[1:]]
        os.execvpe("unshare", ["unshare", *ISOLATED, *again], os.environ | {_INSIDE: "1"})
    plug_in_switch()
    names = list(TRIALS) if ALL in chosen.trial else chosen.trial
    rows = [
        (name, figure) for name in names for figure in one(name, chosen.folder.resolve() / name)
    ]
    print(table(rows))
    return int(any(figure.missed for _, figure in rows))


if __name__ == "__main__":
    sys.exit(main())
