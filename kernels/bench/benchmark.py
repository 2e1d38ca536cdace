"""The benchmark of the kernels: gate, then times; without a GPU, what they cost compiled.

In: parts, rounds. Out: a report as JSON values, see `report`. Must not print, nor change the
card's settings.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import torch

from ..attention import attention_path
from . import attention, backward, compiled, fused_race
from .attention_gate import HEAD_DIM, attention_checks
from .backward_gate import backward_checks
from .origin import origin
from .timing import first_line

PARTS = ("attention", "backward", "fused")
ARCH = 90
"""For which kernels are compiled where no GPU is: Hopper, whose goals these are."""

NOT_TIMED = (
    "torch sees no CUDA device here: nothing was timed. Where it sees one, this command times "
    "every kernel beside its peers; benchmarks/gpu.sh runs everything such a machine should run."
)

Rows = Callable[[int, torch.device], Iterator[dict[str, Any]]]
_CHECKS = {
    "attention": attention_checks,
    "backward": backward_checks,
    "fused": fused_race.fused_checks,
}
_RACES: dict[str, Rows] = {
    "attention": attention.attention_rows,
    "backward": backward.backward_rows,
    "fused": fused_race.fused_rows,
}
_COMPILED = {
    "attention": compiled.attention_rows,
    "backward": compiled.backward_rows,
    "fused": compiled.fused_rows,
}


def measure(
    *,
    rounds: int,
    parts: Sequence[str] = PARTS,
    tell: Callable[[str], None],
    keep: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Hold the kernels to their references, then time them; or compile them.

    Args:
        rounds: interleaved, 2 and more.
        parts: of `PARTS`.
        tell: takes a line of progress.
        keep: takes the report as far as it is, so that a process which is ended leaves something.

    Returns:
        The report. A red gate leaves it without figures.

    Raises:
        ValueError: fewer than two rounds.
    """
    if rounds < 2:
        raise ValueError(f"rounds is {rounds}; allowed: 2 and more")
    device = torch.device("cuda", torch.cuda.current_device()) if has_gpu() else None
    report: dict[str, Any] = {
        "benchmark": "kernels",
        "parts": list(parts),
        "rounds": rounds,
        "origin": origin(device),
        "complete": False,
    }
    if device is None:
        _compile(report, tell)
    else:
        _time(report, device, tell, keep)
    report["complete"] = True
    keep(report)
    return report


def has_gpu() -> bool:
    """Whether there is anything to time."""
    return torch.cuda.is_available()


def is_sound(report: dict[str, Any]) -> bool:
    """Whether the gate was green; without a GPU there is none that could be red."""
    return all(check["passed"] for check in report.get("gate", ()))


def _time(
    report: dict[str, Any],
    device: torch.device,
    tell: Callable[[str], None],
    keep: Callable[[dict[str, Any]], None],
) -> None:
    torch.manual_seed(0)
    report["gate"] = []
    with torch.inference_mode():
        for check in _gate(report["parts"], device):
            report["gate"].append(check)
        keep(report)
        if not is_sound(report):
            return
        tell(f"gate green: {len(report['gate'])} checks")
        report["rows"] = []
        for part in report["parts"]:
            for row in _RACES[part](report["rounds"], device):
                report["rows"].append(row)
                tell(f"timed {row['workload']} {row['dtype']}")
                keep(report)


def _gate(parts: Sequence[str], device: torch.device) -> Iterator[dict[str, Any]]:
    """All checks; one that cannot be done is red, and the last."""
    try:
        path = attention_path(device, HEAD_DIM)
        yield {"check": "Triton", "passed": path.name == "triton", "said": path.reason}
        for part in parts if path.name == "triton" else ():
            yield from _CHECKS[part](device)
    except Exception as error:
        yield {"check": "the gate itself", "passed": False, "said": first_line(error)}


def _compile(report: dict[str, Any], tell: Callable[[str], None]) -> None:
    report["said"] = NOT_TIMED
    report["compiled_for"] = f"sm_{ARCH}"
    report["compiled"] = []
    if find_spec("triton") is None:
        report["said"] += " Nor was anything compiled: triton is not installed."
        return
    for part in report["parts"]:
        tell(f"compiling for sm_{ARCH}: {part}")
        report["compiled"] += _COMPILED[part](ARCH)
