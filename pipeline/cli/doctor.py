"""`dinostream doctor`: what this machine has, what is missing, how to get it; or every machine of
a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from pipeline.cli.options import set_option

MARKS = {True: "ok", False: "MISSING", None: "--"}
BETTER = "WARNING"  # it is there and works, and there is something better


@click.command(
    "doctor",
    epilog="Example: dinostream doctor --cluster --address 10.0.0.5:6379 --config cameras.yaml",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.option(
    "--cluster", is_flag=True, help="Look at every node of a Ray cluster, from one of them."
)
@click.option(
    "--address",
    metavar="HOST:PORT|auto",
    show_default="the file's or RAY_ADDRESS, else auto",
    help="Of a cluster: its head; auto: the one that this machine is in.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="YAML file of what is to run: of a cluster its weights, heads and sink are looked at, of "
    "this machine what its sink.spill.folder keeps.",
)
@set_option
def command(
    *,
    as_json: bool,
    cluster: bool,
    address: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
) -> int:
    """Say what this machine has, what is missing and how to get it.

    Exits 1 when something is missing that every run needs.

    With --cluster every node of a Ray cluster is asked what it has for a job: versions, weights and
    heads, the way to the sink, its clock. Exits 1 when a node would not do.
    """
    if cluster:
        from pipeline.cli.doctor_cluster import examine as examine_cluster

        return examine_cluster(address, config, overrides, as_json=as_json)
    if address or overrides:
        raise click.UsageError("--address and --set are for --cluster; give it, too")
    from pipeline.doctor import examine

    findings = examine(_spill_folder(config) if config else None)
    if as_json:
        click.echo(json.dumps({one.name: asdict(one) for one in findings}, ensure_ascii=False))
    else:
        for one in findings:
            mark = BETTER if one.present and one.remedy else MARKS[one.present]
            click.echo("\n".join(lines(mark, one.name, one.value, one.remedy)))
    return int(any(one.required and one.present is False for one in findings))


def _spill_folder(path: Path) -> Path | None:
    from pipeline.configuration.resolve import resolve

    folder = resolve(path).sink.spill.folder
    return Path(folder).expanduser() if folder else None


def lines(mark: str, name: str, value: str, remedy: str, *, width: int = 16) -> Iterator[str]:
    """One finding, for a person; names take so many columns."""
    yield f"{mark:>8}  {name:<{width}} {value}"
    if remedy:
        yield f"{'':>8}  {'':<{width}} -> {remedy}"
