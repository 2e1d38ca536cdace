"""`dinostream cluster`: what kinds of frames a sink has, how many of each, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import json_option
from pipeline.cli.pool_options import opened_pool, pool_options
from pipeline.cli.sheet_options import draw_sheet, require_png, sheet_options

if TYPE_CHECKING:
    from pipeline.cluster.clustering import Clustering
    from pipeline.vectors.pool import Pool

FOLDER = click.Path(path_type=Path, file_okay=False)
AUTO = "auto"


def counted(text: str) -> int | None:
    """A whole number from 1, or `auto`."""
    if text == AUTO:
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise click.BadParameter(f"{text!r} is neither {AUTO} nor a whole number from 1")


@click.command(
    "cluster",
    epilog="Example: dinostream cluster sqlite:results.db --k auto -o clusters/ "
    "--sheet clusters.png --media footage/",
)
@pool_options
@click.option("--k", "count", type=counted, default=AUTO, show_default=True, metavar="K|auto",
              help="How many; auto: as many, of 2 to 32, as stand apart best.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="Of the draws.")  # fmt: skip
@click.option("-o", "--output", "folder", type=FOLDER, metavar="DIR", required=True,
              help="clusters.json and members.jsonl.")  # fmt: skip
@sheet_options
@json_option
def command(
    *,
    count: int | None,
    seed: int,
    folder: Path,
    sheet: Path | None,
    media: tuple[str, ...],
    as_json: bool,
    **given: Any,
) -> int:
    """Put the frames of a sink, or of a folder of `index`, into clusters of like ones.

    Of each: how many, the frame that is most like all of them, the first and the last, and its
    share of every hour.
    """
    from pipeline.cluster.clustering import clustered
    from pipeline.cluster.medoid_episode import medoid_episodes
    from pipeline.cluster.report import clusters_json, write_clusters

    require_png(sheet)
    with opened_pool(given, what="cluster") as (within, pool, tell):
        found = clustered(pool, count, seed=seed, tell=tell)
        said = clusters_json(pool, found, seed=seed)
        write_clusters(folder, pool, found, said)
    if sheet is not None:
        title = f"{len(found.clusters)} clusters of {len(pool)} frames"
        draw_sheet(title, medoid_episodes(pool, found), within, media, sheet)
    if as_json:
        click.echo(json.dumps(said))
    else:
        click.echo("\n".join(_lines(pool, found, folder)))
    return 0


def _lines(pool: Pool, found: Clustering, folder: Path) -> Iterator[str]:
    from pipeline.search.when import moment

    if found.choice:
        worth = found.choice.silhouettes.get(found.choice.k)
        rows = found.choice.rows
        yield (
            f"one cluster: nothing stands apart in {rows} frames"
            if worth is None
            else f"{found.choice.k} clusters stand apart best, silhouette {worth:.3f} of {rows} "
            "frames"
        )
    for number, one in enumerate(found.clusters, start=1):
        row = pool.rows[one.medoid]
        first, last = (moment(pool.rows[at].time_us) for at in (one.first, one.last))
        yield (
            f"{number:>3}  {one.size} frames ({one.share:.1%}), {first} to {last}, closeness "
            f"{one.closeness:.3f}"
        )
        yield f"     {row.series.stream} at {moment(row.time_us)}: {row.id}"
    yield f"wrote {folder}"
