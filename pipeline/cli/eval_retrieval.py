"""`dinostream eval retrieval`: whether a backbone finds the same thing in other pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from pipeline.cli.dense_options import FOLDER, cache_folder, telling
from pipeline.cli.eval_report import said
from pipeline.cli.options import backbone_config, backbone_options, json_option
from pipeline.cli.peer_options import beside_option, contenders, ours

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.fit.contender import Contender
    from pipeline.search.benchmark import Measured


@click.command(
    "retrieval",
    epilog="Example: dinostream eval retrieval --gallery jpg/ --queries jpg/ --truth "
    "roxford5k.json",
)
@click.option("--gallery", type=FOLDER, metavar="DIR", required=True, help="Pictures to search.")
@click.option("--queries", type=FOLDER, metavar="DIR", required=True, help="Pictures to ask with.")
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.json",
    required=True,
    help="Of each query which pictures are easy, hard and junk.",
)
@beside_option
@json_option
@backbone_options
def retrieval(
    *,
    gallery: Path,
    queries: Path,
    truth: Path,
    beside: Sequence[str],
    as_json: bool,
    **given: Any,
) -> int:
    """Measure instance retrieval: mean average precision as revisited Oxford and Paris have it.

    Class tokens are compared, at one size, without whitening or expansion of queries. Random
    weights and a few pixels stand beside them, and whatever --beside names.
    """
    from pipeline.search.benchmark import by_backbone, by_pixels
    from pipeline.search.truth_file import read_benchmark

    benchmark, config = read_benchmark(truth, gallery, queries), backbone_config(given)
    measured = []
    with telling("eval") as tell:
        for one in _contenders(config, beside):
            with closing(one.open(blocks=1)) as backbone:
                measured.append(
                    by_backbone(
                        benchmark,
                        backbone,
                        cache_folder(given["cache"]),
                        short_side=config.short_side,
                        tell=tell,
                    )
                )
        measured.append(by_pixels(benchmark))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in measured]))
    else:
        click.echo(f"{len(benchmark.queries)} queries, {len(benchmark.gallery)} pictures")
        click.echo("\n".join(_lines(measured)))
    return 0


def _contenders(config: Config, beside: Sequence[str]) -> list[Contender]:
    peers = contenders(beside, config)
    if any(one.peer.family == "pixels" for one in peers):
        raise UsageError("a few pixels stand beside every eval retrieval; leave pixels: out")
    return [*ours(config), *peers]


def _lines(measured: Sequence[Measured]) -> Iterator[str]:
    for protocol in measured[0].protocols:
        yield f"{protocol}: mean average precision"
        for one in measured:
            found = one.protocols[protocol]
            cuts = "  ".join(f"P@{cut} {at.value:.3f}" for cut, at in found.precision.items())
            name = f"{one.what} (random weights)" if one.untrained else one.what
            yield f"  {name:<48} {said(found.mean_ap):<36} {cuts}"
