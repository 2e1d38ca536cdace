"""Times DPT heads on a GPU: a batch in slices beside row by row, in every precision.

    python -m benchmarks.dpt_heads --out heads.json

In: a CUDA device. Out: JSON with milliseconds of a frame, memory, what rounding costs, and whether
a frame's bits stay the same in another row beside others, with seeded weights on noise. Exits 1
where they do not.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kernels.bench.origin import origin
from kernels.bench.report import keep_report
from kernels.bench.timing import elapsed_us
from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.precision import Precision
from operators.depth.dpt import Dpt
from operators.depth.dpt_layouts import depth_anything_dpt, dinov2_dpt
from operators.depth.dpt_rows import decoded
from operators.frames import Features, FrameInfo

ARCH = ARCHITECTURES["dinov2_vits14"]
SIZES = ((224, 64), (518, 16))  # side of the frames in pixels, rows of a batch
LAYOUTS = {"dinov2": dinov2_dpt, "depth-anything": depth_anything_dpt}


@dataclass(frozen=True, slots=True)
class Task:
    """One head, in one precision, and one batch."""

    head: str
    dpt: Dpt
    features: Features

    @property
    def precision(self) -> Precision:
        """Of the head's products."""
        return self.features.precision or Precision.FLOAT32

    def in_slices(self) -> Tensor:
        """Fine maps of its frames, as the product decodes them."""
        return decoded(self.dpt, self._read, self.features, slice(0, len(self.features.cls)))

    def row_by_row(self) -> Tensor:
        """The same, a frame at a time."""
        rows = range(len(self.features.cls))
        return torch.cat([self.dpt(self._read(slice(n, n + 1)), self.precision) for n in rows])

    def turned(self) -> "Task":
        """Its frames in other rows, beside others."""
        seen = self.features
        patches, cls = (one.roll(1, 0) for one in (seen.patches, seen.cls))
        return replace(self, features=replace(seen, patches=patches, cls=cls))

    def _read(self, rows: slice) -> list[tuple[Tensor, Tensor]]:
        return [(self.features.patches[rows], self.features.cls[rows])] * 4


def tasks(device: torch.device) -> Iterator[Task]:
    """Every head at every size in every precision, float32 first."""
    for head in LAYOUTS:
        dpt = drawn(head, device)
        for side, batch in SIZES:
            seen = noise(side, batch, device)
            for precision in Precision:
                yield Task(head, dpt, replace(seen, precision=precision))


def drawn(head: str, device: torch.device) -> Dpt:
    """With weights under which every layer's numbers stay of one size."""
    tensors = {}
    for name, place in LAYOUTS[head](ARCH).items():
        tensors[name] = torch.randn(place.shape) * torch.Size(place.shape[1:]).numel() ** -0.5
    dpt = Dpt(tensors, readout=head == "dinov2", patch=ARCH.patch)
    dpt.load(device)
    return dpt


def noise(side: int, batch: int, device: torch.device) -> Features:
    """Features of a full batch."""
    grid = side // ARCH.patch
    patches = torch.randn(batch, grid, grid, ARCH.width, device=device)
    infos = (FrameInfo.of_picture((side, side)),) * batch
    return Features(infos, torch.randn(batch, ARCH.width, device=device), patches)


def time_task(task: Task, exact: Tensor, rounds: int) -> dict[str, Any]:
    """Its row; rounds in slices and row by row take turns.

    Args:
        task: which.
        exact: its maps in float32.
        rounds: of turns.
    """
    ways = {"slices": task.in_slices, "rows": task.row_by_row}
    for run in ways.values():
        run()  # what is chosen at a first call is no part of the time
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    maps = task.in_slices()
    peak = torch.cuda.max_memory_allocated() - before
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            samples[name].append(elapsed_us(run) / 1000 / len(maps))
    return {
        "head": task.head,
        "batch": list(task.features.patches.shape[:3]),
        "precision": task.precision.value,
        "ms_per_frame": {name: statistics.median(own) for name, own in samples.items()},
        "peak_mib": peak >> 20,
        "off_by": float((maps - exact).norm() / exact.norm()),
        "same_bits": torch.equal(task.turned().in_slices().roll(-1, 0), maps),
    }


@torch.inference_mode()
def main() -> int:
    """Measure, print, keep; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("torch sees no CUDA device: nothing was measured, nothing written", file=sys.stderr)
        return 1
    torch.manual_seed(0)
    device = torch.device("cuda", torch.cuda.current_device())
    report: dict[str, Any] = {"origin": origin(device), "rows": []}
    for task in tasks(device):
        if task.precision is Precision.FLOAT32:
            exact = task.in_slices()
        report["rows"].append(time_task(task, exact, options.rounds))
        print(report["rows"][-1], flush=True)
        keep_report(report, options.out)
    return int(not all(row["same_bits"] for row in report["rows"]))


if __name__ == "__main__":
    sys.exit(main())
