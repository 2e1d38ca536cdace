"""`dinostream search`: moments of footage that are like a picture, a clip or another moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.choice_options import choice_of, choice_options, tell_of_vectors
from pipeline.cli.options import FiniteRange, json_option
from pipeline.cli.query_options import opened_sight, query_options
from pipeline.cli.sheet_options import opened_gallery, require_png, save_picture, sheet_options
from pipeline.cli.sink_options import sink_config_option, sink_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.search.answer import Question
    from pipeline.search.episode import Episode
    from pipeline.search.sink_table import SinkTable
    from pipeline.vectors.choice import Choice
    from pipeline.vectors.row import Row
    from pipeline.view.footage import Footage

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "search",
    epilog="Example: dinostream search sqlite:results.db --at gate@2026-11-29T17:00:00Z --top 5 "
    "--sheet found.png --media footage/",
)
@click.argument("place", metavar="SINK|DIR")
@click.option("--image", "images", type=FILE, multiple=True, metavar="FILE", show_default="none",
              help="What is like this picture.")  # fmt: skip
@click.option("--clip", "clips", type=FILE, multiple=True, metavar="FILE", show_default="none",
              help="What is like the frames of this clip.")  # fmt: skip
@click.option("--at", "moments", multiple=True, metavar="STREAM@TIME", show_default="none",
              help="What is like this moment; TIME may be seconds since the stream's first vector, "
              "or as answers tell it."
)  # fmt: skip
@click.option("--like", "likes", multiple=True, metavar="ID", show_default="none",
              help="What is like this record of topic embedding.")  # fmt: skip
@click.option("--not", "dislikes", multiple=True, metavar="ID", show_default="none",
              help="And not like this one.")  # fmt: skip
@choice_options
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, metavar="N",
              help="So many episodes.")  # fmt: skip
@click.option("--apart", "apart_s", type=FiniteRange(min=0), default=10.0, show_default=True,
              metavar="S", help="What is nearer than that in one stream is one episode."
)  # fmt: skip
@sheet_options
@json_option
@query_options
@sink_config_option
def command(
    place: str,
    *,
    images: tuple[Path, ...],
    clips: tuple[Path, ...],
    moments: tuple[str, ...],
    likes: tuple[str, ...],
    dislikes: tuple[str, ...],
    top: int,
    apart_s: float,
    sheet: Path | None,
    media: tuple[str, ...],
    as_json: bool,
    config: Path | None,
    **given: Any,
) -> int:
    """Find moments in the embeddings of a sink, or of a folder that `index` has made.

    What is asked for may be given by several pictures, clips, moments and records at once: their
    mean is looked for. The answer is exact. It leaves out the moments that were asked with.
    """
    from pipeline.search.answer import Question, answer, film_commands
    from pipeline.view.footage import Footage

    if not (images or clips or moments or likes):
        raise click.UsageError("say what is looked for: --image, --clip, --at or --like")
    require_png(sheet)
    choice, footage = choice_of(given), Footage.of(media)
    question = Question(tuple(likes), tuple(moments), tuple(dislikes))
    with _opened(place, choice, question, sink_settings(config)) as within:
        seen = _seen(images, clips, within, given) if images or clips else []
        apart_us = round(apart_s * 1e6)
        found = answer(within.table, question, seen, choice, apart_us=apart_us, most=top)
        tell_of_vectors(within)
        films = film_commands(found, within, footage)
        if as_json:
            said = [{**one.plain(), "film": film} for one, film in zip(found, films, strict=True)]
            click.echo(json.dumps(said, ensure_ascii=False))
        else:
            click.echo("\n".join(_lines(found, films)))
        if sheet is not None:
            rows = [within.table.row(one) for one in question.liked(within.table, choice)]
            names = [one.name for one in (*images, *clips)]
            words = [*names, *moments, *likes, *(f"not {one}" for one in dislikes)]
            _draw(", ".join(words), images, rows, found, (within, footage), sheet)
    return 0


@contextmanager
def _opened(
    place: str, choice: Choice, question: Question, settings: dict[str, Any]
) -> Iterator[SinkTable]:
    from pipeline.cli.countdown import countdown
    from pipeline.search.sink_table import opened
    from pipeline.vectors.choice import Choice

    # Moments that are asked with may be of other streams and times than those that are searched.
    wanted = Choice(variants=choice.variants) if question.rows else choice
    with ExitStack() as stack:
        with countdown("search") as tell:
            opening = opened(
                *(place, wanted),
                settings=settings,
                tell=lambda read: tell(None, f"{read} records read"),
            )
            within = stack.enter_context(opening)
        yield within


def _seen(
    images: Sequence[Path], clips: Sequence[Path], within: SinkTable, given: dict[str, Any]
) -> list[NDArray[Any]]:
    """Vectors of what is asked with."""
    from pipeline.search.sight import require_readable

    require_readable(images)
    with opened_sight(within.table.head, given) as sight:
        return [*sight.pictures(images), *map(sight.clip, clips)]


def _lines(found: Sequence[Episode], films: Sequence[str]) -> Iterator[str]:
    from pipeline.search.when import length, moment

    if not found:
        yield "nothing is left to be found: all of it is near to what was asked with"
    for rank, (one, film) in enumerate(zip(found, films, strict=True), start=1):
        when = f"{moment(one.best.time_us)}  {length(one)}"
        yield f"{rank:>3}  {one.score:.4f}  {one.best.series.stream}  {when}"
        yield f"     {film}"


def _draw(
    title: str,
    images: Sequence[Path],
    rows: Sequence[Row],
    found: Sequence[Episode],
    within: tuple[SinkTable, Footage],
    sheet: Path,
) -> None:
    from PIL import Image

    from pipeline.media.still import read_upright
    from pipeline.search.pictured import Shown
    from pipeline.search.sheet import contact_sheet
    from pipeline.view.pictures import NoPicture

    with opened_gallery(*within, Shown(rows, found)) as pictures:
        asked = [Image.fromarray(read_upright(one)) for one in images]
        for row in rows:
            with suppress(NoPicture):
                asked.append(pictures.of(row))
        drawn = contact_sheet(title, found, pictures.of_episode, asked)
    save_picture(drawn, sheet)
