"""`dinostream doctor`: what this machine has, what is missing, how to get it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

MARKS = {True: "ok", False: "MISSING", None: "--"}
BETTER = "WARNING"  # it is there and works, and there is something better


@click.command("doctor", epilog="Example: dinostream doctor --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def command(as_json: bool) -> int:
    """Say what this machine has, what is missing and how to get it.

    Exits 1 when something is missing that every run needs.
    """
    from pipeline.doctor import examine

    findings = examine()
    if as_json:
        click.echo(json.dumps({one.name: asdict(one) for one in findings}, ensure_ascii=False))
    else:
        for one in findings:
            mark = BETTER if one.present and one.remedy else MARKS[one.present]
            click.echo(f"{mark:>8}  {one.name:<16} {one.value}")
            if one.remedy:
                click.echo(f"{'':>8}  {'':<16} -> {one.remedy}")
    return int(any(one.required and one.present is False for one in findings))
