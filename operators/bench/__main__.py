"""`python -m operators.bench`: the backbone's benchmark on a machine that has torch alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

from kernels.bench.report import keep_report
from operators.backbones.architectures import architecture
from operators.bench.backbone import ON_CPU, ON_GPU, Settings, measure
from operators.bench.report import backbone_report_lines
from operators.errors import DinostreamError


def main() -> int:
    """Measure, print, keep; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m operators.bench",
        description="One DINOv2 in every way that this machine can run it.",
        epilog="Example: python -m operators.bench --model dinov2_vits14 --out backbone.json",
    )
    parser.add_argument("--model", action="append", help="default: dinov2_vits14; again for more")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sizes = ON_GPU if device.type == "cuda" else ON_CPU
    reports: list[dict[str, Any]] = []
    code = 0
    for name in options.model or ["dinov2_vits14"]:
        settings = Settings(architecture(name), device, sizes, options.rounds)
        try:
            measured = measure(
                settings, _tell, lambda so_far: keep_report([*reports, so_far], options.out)
            )
            reports.append(measured)
            print("\n".join(backbone_report_lines(measured)), flush=True)
        except DinostreamError as error:
            print(f"{name}: {error}", file=sys.stderr)
            code = 1
    keep_report(reports, options.out)
    return code


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
