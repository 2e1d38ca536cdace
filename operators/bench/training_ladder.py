"""`python -m operators.bench.training_ladder`: what each trick of DINOv2's training is worth here.

A student's forward and backward pass over 2 large and some small crops of each picture, rung by
rung: seconds, and memory. First every rung's gradient is held to the first one's; one that differs
ends it before a figure exists.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from kernels.bench.report import keep_report
from kernels.bench.table import table
from operators.bench.provenance import load, provenance
from operators.bench.stopwatch import seconds_of
from operators.bench.training_pass import RUNGS, Rung
from operators.bench.training_student import Climb, Student
from operators.errors import DinostreamError

FORMAT = 1
AGREES = {"cpu": 1e-3, "cuda": 3e-2}
"""Relative distance that a gradient may have from the first rung's: float32, and bfloat16."""

MIB = 2**20


class LadderRed(DinostreamError):
    """A rung's gradient is another one: there are no figures."""


def measure(climb: Climb, tell: Callable[[str], None]) -> dict[str, Any]:
    """Hold the rungs to each other, then time them in turn and weigh each alone.

    Args:
        climb: what is measured.
        tell: told what happens now.

    Returns:
        The report as JSON values.

    Raises:
        LadderRed: a rung's gradient is another one than the first's.
    """
    report = {"benchmark": "training_ladder", "format": FORMAT, **provenance(), **asdict(climb)}
    # What holds for one picture holds for more.
    report["gate"] = _held(Student(replace(climb, pictures=1)))
    tell("every rung has the first one's gradient")
    student = Student(climb)
    seconds: dict[str, list[float]] = {rung.name: [] for rung in RUNGS}
    for turn in range(climb.rounds):
        for rung in RUNGS:
            seconds[rung.name].append(_seconds(student, rung))
        tell(f"round {turn + 1} of {climb.rounds}")
    kept = {rung.name: student.kept_bytes(rung) for rung in RUNGS}
    del student
    report["rungs"] = [
        {
            "name": rung.name,
            "does": rung.does,
            "seconds": seconds[rung.name],
            "kept_bytes": kept[rung.name],
            "peak_bytes": peak_bytes(climb, rung.name),
        }
        for rung in RUNGS
    ]
    report["load_after"] = load()
    return report


def _held(student: Student) -> dict[str, float]:
    """Relative distances between gradients: to the first rung's where no branch is dropped, and
    with dropped branches between the two rungs that draw the same."""
    plain, *others = RUNGS
    truth = student.gradient(plain, drop=0)
    found = {one.name: _distance(student.gradient(one, drop=0), truth) for one in others}
    masked, skipping = (student.gradient(one, drop=student.climb.drop) for one in RUNGS[2:])
    found["d beside c, with dropped branches"] = _distance(skipping, masked)
    allowed = AGREES[student.climb.device]
    wrong = {name: distance for name, distance in found.items() if not distance <= allowed}
    if wrong:
        raise LadderRed(f"gradients differ by {wrong}, relative; allowed is {allowed}")
    return found


def _distance(found: Tensor, truth: Tensor) -> float:
    return float((found - truth).norm() / truth.norm())


def _seconds(student: Student, rung: Rung) -> float:
    """Of the device; on a CPU those that this process computed, whoever else is busy."""
    if student.climb.device != "cpu":
        return seconds_of(lambda: student.train(rung), torch.device("cuda"))
    began = time.process_time()
    student.train(rung)
    return time.process_time() - began


def peak_bytes(climb: Climb, name: str) -> int:
    """Most memory that a pass of a rung takes beside weights and crops, gradients included.

    Args:
        climb: what is measured.
        name: of the rung.

    Returns:
        On a GPU by torch's allocator; on a CPU by a process of its own, for a process's peak never
        falls.
    """
    if climb.device == "cpu":
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as alone:
            return alone.submit(_resident_bytes, climb, name).result()
    student, rung = Student(climb), next(one for one in RUNGS if one.name == name)
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    student.train(rung)
    return int(torch.cuda.max_memory_allocated()) - before


def _resident_bytes(climb: Climb, name: str) -> int:
    student, rung = Student(climb), next(one for one in RUNGS if one.name == name)
    before = resident_bytes("VmRSS")
    student.train(rung)
    return resident_bytes("VmHWM") - before


def resident_bytes(kind: str) -> int:
    """Bytes of this process that are in memory, by Linux.

    What `getrusage` says is the peak of the process that started this one, where that is higher.

    Args:
        kind: "VmRSS" for now, "VmHWM" for the most so far.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith(f"{kind}:"))
    return 1024 * int(kibibytes)


def ladder_lines(report: dict[str, Any]) -> list[str]:
    """The report as text.

    Args:
        report: from `measure`.
    """
    crops = f"2 crops of {report['large_px']} px and {report['small']} of {report['small_px']} px"
    where = f"{report['threads']} thread(s) of {report['machine']['cpu']}, float32"
    if report["device"] != "cpu":
        where = f"{report['device']}, bfloat16"
    first = report["rungs"][0]
    rows = []
    for rung in report["rungs"]:
        seconds, whole = median(rung["seconds"]), median(first["seconds"])
        cells = [rung["name"], rung["does"], f"{report['pictures'] / seconds:.2f}"]
        cells.append(f"{whole / seconds:.2f}x")
        for memory in ("kept_bytes", "peak_bytes"):
            cells.append(f"{rung[memory] / MIB:.0f} MiB, {rung[memory] / first[memory]:.2f}")
        rows.append(cells)
    header = ["rung", "does", "pictures/s", "beside a", "kept for the gradient", "peak"]
    return [
        f"commit {report['commit']}, {report['date']}: {report['model']}, {where}",
        f"{report['pictures']} pictures at a time, {crops} of each; drop {report['drop']:g}; "
        f"load {report['load'][0]} before, {report['load_after'][0]} after; "
        f"medians of {report['rounds']} interleaved rounds",
        "",
        *table(header, rows),
    ]


def main() -> int:
    """Measure, print, keep; returns the exit code."""
    on_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(
        prog="python -m operators.bench.training_ladder",
        description="What each trick of DINOv2's training is worth on this machine.",
        epilog="Example: python -m operators.bench.training_ladder --pictures 5 --out ladder.json",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    model = "dinov2_vitl14" if on_gpu else "dinov2_vits14"
    parser.add_argument("--model", default=model, help="an architecture")
    parser.add_argument("--pictures", type=int, default=40 if on_gpu else 5, help="at a time")
    parser.add_argument("--small", type=int, default=8, help="small crops of each")
    parser.add_argument(
        "--drop", type=float, default=0.4, help="share of crops a branch leaves out"
    )
    parser.add_argument("--rounds", type=int, default=5, help="the rungs in turn")
    parser.add_argument("--threads", type=int, default=1, help="of torch on a CPU")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = vars(parser.parse_args())
    out = options.pop("out")
    for name, least in {"pictures": 1, "small": 0, "rounds": 1, "threads": 1}.items():
        if options[name] < least:
            parser.error(f"--{name} is {options[name]}; allowed: {least} and more")
    if not 0 <= options["drop"] < 1:
        parser.error(f"--drop is {options['drop']:g}; allowed: from 0 to below 1")
    try:
        report = measure(Climb(**options, device="cuda" if on_gpu else "cpu"), _tell)
    except DinostreamError as error:
        print(error, file=sys.stderr)
        return 1
    keep_report(report, out)
    print("\n".join(ladder_lines(report)))
    return 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
