"""`python -m kernels.bench`: the benchmark of the kernels on a machine that has torch alone."""

import argparse
import sys
from functools import partial
from pathlib import Path

from .benchmark import PARTS, is_sound, measure
from .report import keep_report, report_lines


def main() -> int:
    """Measure, print, keep; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m kernels.bench",
        description="Every Triton kernel beside what one would use instead, after its gate.",
        epilog="Example: python -m kernels.bench --rounds 30 --out kernels.json",
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=30, help="interleaved; 2 and more")
    parser.add_argument("--only", choices=PARTS, help="one of the three parts")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error(f"--rounds is {options.rounds}; allowed: 2 and more")
    report = measure(
        rounds=options.rounds,
        parts=(options.only,) if options.only else PARTS,
        tell=partial(print, file=sys.stderr, flush=True),
        keep=partial(keep_report, path=options.out),
    )
    print("\n".join(report_lines(report)))
    return 0 if is_sound(report) else 1


if __name__ == "__main__":
    sys.exit(main())
