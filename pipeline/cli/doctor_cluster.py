"""The part of `dinostream doctor` that looks at a whole cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.doctor import lines

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.runtime.node_report import ClusterReport, Finding, NodeReport

MARKS = {"wrong": "WRONG", "warning": "WARNING", "ok": "ok", "told": "--"}
NAME_WIDTH = len("heads.segmentation")
UNCONFIGURED = (
    "no configuration: weights, heads, operators and the sink were not looked at; --config FILE "
    "says what is to run"
)


def examine(
    address: str | None, path: Path | None, overrides: Sequence[str], *, as_json: bool
) -> int:
    """Look at the nodes of a cluster and print what was found.

    Args:
        address: of the cluster; else what the configuration or RAY_ADDRESS says, else this
            machine's own.
        path: file of the configuration that is to run there.
        overrides: `a.b=value`, over the file.

    Returns:
        Exit code: 0, or 1 where a node or the driver would not do.

    Raises:
        UsageError: no cluster is named, or the configuration is wrong.
        RuntimeFailure: the cluster cannot be joined.
    """
    from pipeline.runtime.ray_doctor import examine_cluster

    config = _config(path, overrides) if path or overrides else None
    where = _where(address, config)
    if config is not None:
        config = config.model_copy(update={"address": where})
        _check(config)
    report = examine_cluster(where, config)
    if as_json:
        click.echo(json.dumps(_plain(report, config), ensure_ascii=False))
    else:
        click.echo("\n".join(_table(report, config)))
    return int(report.wrong)


def _config(path: Path | None, overrides: Sequence[str]) -> Config:
    from pipeline.configuration.resolve import resolve

    return resolve(path, {"runtime": "ray"}, overrides)


def _where(address: str | None, config: Config | None) -> str:
    from pipeline.runtime.address import LOCAL, cluster_address

    where = cluster_address(address or (config.address if config else None))
    if where != LOCAL:
        return where
    if address == LOCAL:
        raise click.UsageError(
            "--address local is a cluster that a job starts on this machine for itself; give "
            "HOST:PORT or auto, or look at this machine without --cluster"
        )
    return "auto"


def _check(config: Config) -> None:
    from operators.names import check_name
    from pipeline.preflight import check_heads

    for name in config.operators:
        check_name(name)
    check_heads(config)


def _plain(report: ClusterReport, config: Config | None) -> dict[str, Any]:
    return {
        "fine": not report.wrong,
        "configured": config is not None,
        "driver": [asdict(one) for one in report.driver],
        "nodes": [asdict(one) | {"fine": one.worst != "wrong"} for one in report.nodes],
    }


def _table(report: ClusterReport, config: Config | None) -> Iterator[str]:
    yield "driver"
    yield from _findings(report.driver)
    for one in report.nodes:
        yield _name(one)
        yield from _findings(one.findings)
    wrong = [_name(one) for one in report.nodes if one.worst == "wrong"]
    told = f"would not do: {'; '.join(wrong)}" if wrong else "would do"
    yield f"{len(wrong) or len(report.nodes)} of {len(report.nodes)} nodes {told}"
    if config is None:
        yield UNCONFIGURED


def _name(one: NodeReport) -> str:
    return f"{one.node.address} {one.node.host} (node {one.node.id[:8]})"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    for one in findings:
        yield from lines(MARKS[one.state], one.name, one.value, one.remedy, width=NAME_WIDTH)
