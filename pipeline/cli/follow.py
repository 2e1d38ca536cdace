"""`dinostream follow`: things that are clicked on in one frame -> their masks through the film."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.dense_options import cache_folder, telling
from pipeline.cli.marks import pixels_of
from pipeline.cli.options import (
    FiniteRange,
    backbone_config,
    backbone_options,
    fps_option,
    json_option,
)

if TYPE_CHECKING:
    from pipeline.follow.asked import Asked
    from pipeline.follow.follow import Followed

THING = "thing"


@click.command(
    "follow",
    epilog="Example: dinostream follow clip.mp4 --at 3.2 --point cup:310,220 --point hand:150,260 "
    "--not 20,20 --film -o followed",
)
@click.argument("source", metavar="CLIP")
@click.option("--at", "at_s", type=FiniteRange(min=0), required=True, metavar="SECONDS",
              help="The frame that is pointed at, since the first one.")  # fmt: skip
@click.option("--point", "points", metavar="[NAME:]X,Y", multiple=True,
              show_default="none; the NAME is thing",
              help="A click on a thing, pixels of the picture; several help.")  # fmt: skip
@click.option("--box", "boxes", metavar="[NAME:]X0,Y0,X1,Y1", multiple=True, show_default="none",
              help="A box around a thing: left, top, right, bottom.")  # fmt: skip
@click.option("--not", "against", metavar="X,Y", multiple=True, show_default="none",
              help="A click on what is none of the things.")  # fmt: skip
@click.option("--from", "from_s", type=FiniteRange(min=0), metavar="SECONDS",
              show_default="forwards only", help="Follow backwards, too, to here.")  # fmt: skip
@click.option("--to", "to_s", type=FiniteRange(min=0), metavar="SECONDS", show_default="the end",
              help="Follow forwards to here.")  # fmt: skip
@fps_option
@click.option("--detect", is_flag=True, help="Write boxes too, as fit detect takes them.")
@click.option("--film", is_flag=True, help="Write a film with the masks drawn.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="Folder that is made.")  # fmt: skip
@backbone_options
@json_option
def command(
    source: str,
    *,
    points: tuple[str, ...],
    boxes: tuple[str, ...],
    against: tuple[str, ...],
    out: Path,
    as_json: bool,
    **given: Any,
) -> int:
    """Click on things in one frame of CLIP and get their masks in all others, without training.

    CLIP is a file or a rendered scene. DIR gets masks and pictures as fit segmentation takes them,
    a strip to look at, and when each thing was seen, lost and found again.
    """
    from pipeline.features.backbone import configured_backbone
    from pipeline.features.store import FeatureStore
    from pipeline.follow.follow import follow
    from pipeline.follow.wish import Wish

    things = _asked(points, boxes, against)
    config = backbone_config(given)
    rate = config.sampling.fps
    assert rate is not None
    wish = Wish(
        *(source, things, given["at_s"], rate, given["from_s"], given["to_s"]),
        boxes=given["detect"],
        film=given["film"],
    )
    threads = config.threads or _cores()
    with (
        closing(configured_backbone(config)) as backbone,
        closing(
            FeatureStore(cache_folder(given["cache"]), backbone, short_side=config.short_side)
        ) as store,
        telling("follow") as tell,
    ):
        done = follow(wish, store, backbone, out, threads=threads, tell=tell)
    return _finish(done, out, as_json=as_json)


def _finish(done: Followed, out: Path, *, as_json: bool) -> int:
    from pipeline.follow.follow import FILM, STRIP
    from pipeline.follow.labelled import BOXES, LABELS, MASKS, PICTURES
    from pipeline.follow.told import FILE
    from pipeline.job import DONE, SOME_FAILED

    code = SOME_FAILED if done.trouble else DONE
    if as_json:
        said = json.loads((out / FILE).read_text(encoding="utf-8"))
        click.echo(json.dumps({"folder": str(out), "notes": done.notes, **said}))
        return code
    for line in (*done.told.lines(), *done.notes):
        click.echo(line)
    shown = [name for name in (STRIP, FILM) if (out / name).exists()]
    click.echo(f"wrote {out}; look at {' and '.join(shown)} first")
    pictures = f"--images {out / PICTURES}"
    click.echo(
        f"use it with fit segmentation {pictures} --masks {out / MASKS} --labels {out / LABELS}"
    )
    if done.boxed is not None:
        click.echo(f"or with fit detect {pictures} --boxes {out / BOXES}")
    return code


def _asked(points: tuple[str, ...], boxes: tuple[str, ...], against: tuple[str, ...]) -> Asked:
    from pipeline.follow.asked import asked

    clicked = [_named("--point", text, 2) for text in points]
    boxed = [_named("--box", text, 4) for text in boxes]
    none = [pixels_of("--not", text, text, 2) for text in against]
    return asked(clicked, boxed, none)  # type: ignore[arg-type]  # as many numbers as were asked for


def _named(option: str, text: str, count: int) -> tuple[str, tuple[float, ...]]:
    name, colon, numbers = text.rpartition(":")
    return name if colon else THING, pixels_of(option, numbers, text, count)


def _cores() -> int:
    from operators.backbones.machine import this_machine

    return this_machine().cores
