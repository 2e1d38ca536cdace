"""Where a benchmark's report goes, and what it says on the way there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

out_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Keep the JSON there."
)


def tell(text: str) -> None:
    """Say what happens now."""
    click.echo(text, err=True)


def keep(report: Mapping[str, Any], out: Path | None) -> None:
    """Write it to the file, where there is one."""
    if out is not None:
        from kernels.bench.report import keep_report

        keep_report(dict(report), out)


def show(report: Mapping[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    """Print it, as JSON or as these lines."""
    click.echo(json.dumps(report, indent=1) if as_json else "\n".join(lines))
