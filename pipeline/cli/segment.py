"""`dinostream segment`: what is pointed at in one picture -> its mask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from pipeline.cli.marks import pixels_of
from pipeline.cli.options import backbone_config, sight_options
from pipeline.cli.sheet_options import require_png, save_picture

if TYPE_CHECKING:
    from operators.outside.prompt import Prompt
    from pipeline.prompts.segmented import Segmented

_PNG = click.Path(path_type=Path, dir_okay=False)
_MOST_MASKS = 3  # of one lone click
_OURS = ("model", "weights", "seed", "short_side", "threads", "backend", "engine")


@click.command(
    "segment",
    epilog="Example: dinostream segment clip.mp4@3.2 --point 310,220 --point 40,30:- "
    "--weights-sam sam-vit-base/ -o mask.png --overlay seen.png",
)
@click.argument("frame", metavar="PICTURE|CLIP@SECONDS")
@click.option("--point", "points", metavar="X,Y[:-]", multiple=True, show_default="none",
              help="A click on the thing, pixels of the picture; with :- on what is not it. "
              "Several help.")  # fmt: skip
@click.option("--box", metavar="X0,Y0,X1,Y1", show_default="none",
              help="A box around the thing: left, top, right, bottom.")  # fmt: skip
@click.option("--weights-sam", type=click.Path(path_type=Path), metavar="DIR",
              show_default="none: by likeness of our own patches",
              help="Weights of a SAM, in transformers' layout; needs the extra sam.")  # fmt: skip
@click.option("-o", "--out", type=_PNG, required=True, metavar="FILE.png",
              help="The mask: grey, 255 inside. Others of one click are FILE.2.png, FILE.3.png."
)  # fmt: skip
@click.option("--overlay", type=_PNG, metavar="FILE.png", show_default="none",
              help="The likeliest mask over the picture.")  # fmt: skip
@sight_options
def command(
    frame: str,
    *,
    points: tuple[str, ...],
    box: str | None,
    weights_sam: Path | None,
    out: Path,
    overlay: Path | None,
    **given: Any,
) -> int:
    """Point at a thing in one picture and get its mask.

    With --weights-sam by SAM: three masks where one click leaves open what is meant, the likeliest
    first. Without by the patches that look like those pointed at, as `follow` begins. What was made
    is said as JSON.
    """
    from pipeline.prompts.frame import read_frame

    require_png(out, "-o")
    require_png(overlay, "--overlay")
    _require_apart(frame, out, overlay)
    prompt = _prompt(points, box)
    if weights_sam is not None:
        _refuse_ours(given)
    seen = read_frame(frame)
    prompt.check((seen.pixels.shape[0], seen.pixels.shape[1]))
    done = _segmented(seen.pixels, prompt, weights_sam, given)
    masks = _write(done, out)
    if overlay is not None:
        from pipeline.prompts.drawn import overlay as drawn

        save_picture(drawn(seen.pixels, done.answers[0].mask, prompt), overlay)
    click.echo(json.dumps({"frame": seen.told, "by": done.by, "masks": masks}, ensure_ascii=False))
    return 0


def _segmented(
    rgb: Any, prompt: Prompt, weights_sam: Path | None, given: Mapping[str, Any]
) -> Segmented:
    from pipeline.prompts.segmented import by_likeness, by_sam

    if weights_sam is not None:
        from operators.outside.sam import Sam

        return by_sam(Sam.load(weights_sam), rgb, prompt)
    from pipeline.features.backbone import configured_backbone

    config = backbone_config(given)
    with closing(configured_backbone(config)) as backbone:
        return by_likeness(backbone, rgb, prompt, short_side=config.short_side)


def _write(done: Segmented, out: Path) -> list[dict[str, Any]]:
    from PIL import Image

    told = []
    for number, answer in enumerate(done.answers, start=1):
        path = _numbered(out, number)
        save_picture(Image.fromarray(answer.mask.astype("uint8") * 255), path)
        told.append({"file": str(path), **answer.plain()})
    return told


def _require_apart(frame: str, out: Path, overlay: Path | None) -> None:
    """What is written takes the place neither of the picture nor of one another."""
    masks = [_numbered(out, number).resolve() for number in range(1, _MOST_MASKS + 1)]
    picture = Path(frame).resolve()
    if picture in masks or (overlay is not None and overlay.resolve() == picture):
        raise UsageError(f"{frame} is the picture itself, which would be lost; write another file")
    if overlay is not None and overlay.resolve() in masks:
        raise UsageError(f"--overlay {overlay} is where a mask goes; give it another name")


def _numbered(out: Path, number: int) -> Path:
    """Where a mask goes, from 1 on."""
    return out if number == 1 else out.with_suffix(f".{number}{out.suffix}")


def _prompt(points: tuple[str, ...], box: str | None) -> Prompt:
    from operators.outside.prompt import Prompt

    on: list[tuple[float, float]] = []
    against: list[tuple[float, float]] = []
    for text in points:
        numbers, colon, sign = text.partition(":")
        if colon and sign not in ("+", "-"):
            raise UsageError(f"--point takes X,Y or, on what is not the thing, X,Y:-; got {text!r}")
        x, y = pixels_of("--point", numbers, text, 2)
        (against if sign == "-" else on).append((x, y))
    around = None
    if box is not None:
        left, top, right, bottom = pixels_of("--box", box, box, 4)
        around = (left, top, right, bottom)
    return Prompt(tuple(on), tuple(against), around)


def _refuse_ours(given: Mapping[str, Any]) -> None:
    odd = [name for name in _OURS if given[name] is not None]
    if odd:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in odd)
        raise UsageError(
            f"{named}: of our own backbone, which --weights-sam does without; leave one of them out"
        )
