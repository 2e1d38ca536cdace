"""`dinostream recommend`: frames like those that somebody likes, or what to look at first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import FiniteRange, json_option
from pipeline.cli.pool_options import opened_pool, pool_options
from pipeline.cli.sheet_options import draw_sheet, require_png, sheet_options

if TYPE_CHECKING:
    from pipeline.recommend.recommending import HeldOut, Recommended
    from pipeline.vectors.pool import Pool


@click.command(
    "recommend",
    epilog="Example: dinostream recommend sqlite:results.db --first --top 5 --sheet first.png "
    "--media footage/",
)
@pool_options
@click.option("--like", "likes", multiple=True, metavar="ID", show_default="none",
              help="A record of topic embedding that is liked; several may be named.",
)  # fmt: skip
@click.option("--dislike", "dislikes", multiple=True, metavar="ID", show_default="none",
              help="One that is not.")  # fmt: skip
@click.option("--first", is_flag=True,
              help="What to look at first: frames that are unusual, and no accident.",
)  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, metavar="N",
              help="So many frames.")  # fmt: skip
@click.option("--lambda", "likeness", type=FiniteRange(0, 1), default=0.7, show_default=True,
              help="How much worth counts; the rest is how unlike it is to those before it.",
)  # fmt: skip
@click.option("--held-out", is_flag=True,
              help="Leave each like out in turn, and say where the others bring it.",
)  # fmt: skip
@sheet_options
@json_option
def command(
    *,
    likes: tuple[str, ...],
    dislikes: tuple[str, ...],
    first: bool,
    top: int,
    likeness: float,
    held_out: bool,
    sheet: Path | None,
    media: tuple[str, ...],
    as_json: bool,
    **given: Any,
) -> int:
    """Choose frames of a sink, or of a folder of `index`, to look at.

    With likes, what is like them and unlike the dislikes; with --first, what is most unlike its
    stream's usual picture and yet has others like it. Either way a frame counts less, the more it
    is like one that came before it.
    """
    from pipeline.recommend import recommending as room
    from pipeline.recommend.frame_episode import recommended_episodes

    if first == bool(likes) or (first and (dislikes or held_out)):
        raise click.UsageError("give --like, maybe --dislike and --held-out, or --first alone")
    require_png(sheet)
    measured = None
    with opened_pool(given, what="recommend") as (within, pool, tell):
        if first:
            found, looked_at = room.to_look_at_first(pool, top=top, likeness=likeness, tell=tell)
        else:
            wanted = room.numbers_of(pool, likes, option="--like")
            unwanted = room.numbers_of(pool, dislikes, option="--dislike")
            room.refuse_both(wanted, unwanted, pool)
            found = room.recommended(pool, wanted, unwanted, top=top, likeness=likeness)
            looked_at = len(pool)
            if held_out:
                measured = room.held_out(pool, wanted, unwanted, k=top)
    if sheet is not None:
        title = "to look at first" if first else f"like {', '.join(likes)}"
        draw_sheet(title, recommended_episodes(pool, found), within, media, sheet)
    if as_json:
        click.echo(json.dumps(_plain(pool, found, looked_at, measured)))
    else:
        click.echo("\n".join(_lines(pool, found, looked_at, measured)))
    return 0


def _plain(
    pool: Pool, found: Sequence[Recommended], looked_at: int, measured: HeldOut | None
) -> dict[str, Any]:
    from operators.moment import rfc3339

    frames = [
        {
            "id": row.id,
            "stream": row.series.stream,
            "time": rfc3339(row.time_us),
            "worth": round(one.worth, 4),
            **{name: round(part, 4) for name, part in one.parts.items()},
        }
        for one in found
        for row in (pool.rows[one.number],)
    ]
    said: dict[str, Any] = {"frames": frames, "looked_at": looked_at, "of": len(pool)}
    return said | ({"held_out": asdict(measured)} if measured else {})


def _lines(
    pool: Pool, found: Sequence[Recommended], looked_at: int, measured: HeldOut | None
) -> list[str]:
    from pipeline.search.when import moment

    lines = []
    for rank, one in enumerate(found, start=1):
        row = pool.rows[one.number]
        parts = ", ".join(f"{name} {part:.3f}" for name, part in one.parts.items())
        lines.append(f"{rank:>3}  {row.series.stream} at {moment(row.time_us)}, {parts}")
        lines.append(f"     {row.id}")
    if not found:
        lines.append("nothing is left: all frames were named")
    if looked_at < len(pool):
        lines.append(f"looked at {looked_at} of {len(pool)} frames, spread evenly")
    if measured:
        ranks = ", ".join(map(str, measured.ranks))
        lines.append(
            f"held out: recall@{measured.k} {measured.recall:.3f}, NDCG@{measured.k} "
            f"{measured.ndcg:.3f}; the likes came {ranks} of {len(pool)}"
        )
    return lines
