"""`dinostream ground`: things that are named in words -> a file of their boxes in footage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import FiniteRange, json_option
from pipeline.cli.sheet_options import require_writable

if TYPE_CHECKING:
    from pipeline.prompts.grounded import Grounded

_SHARE = FiniteRange(min=0, max=1)


@click.command(
    "ground",
    epilog="Example: dinostream ground footage/ --text 'red car' --text person "
    "--weights-grounding grounding-dino-tiny/ -o boxes.jsonl",
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--text", "texts", multiple=True, required=True, metavar="WORDS",
              help="A thing to look for, such as 'red car'; several.")  # fmt: skip
@click.option("--weights-grounding", "weights", type=click.Path(path_type=Path), required=True,
              metavar="DIR", help="Weights of a Grounding DINO, in transformers' layout; needs the "
              "extra grounding.")  # fmt: skip
@click.option("--box-threshold", type=_SHARE, default=0.35, show_default=True,
              help="Tell things whose best word scores more.")  # fmt: skip
@click.option("--text-threshold", type=_SHARE, default=0.25, show_default=True,
              help="Words that score more are the thing's name.")  # fmt: skip
@click.option("--fps", type=FiniteRange(min=0, min_open=True), default=5.0, show_default=True,
              help="Take so many frames per second; the replay has to take the same.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True,
              metavar="FILE.jsonl", help="File of boxes that is written.")  # fmt: skip
@json_option
def command(
    sources: tuple[str, ...],
    *,
    texts: tuple[str, ...],
    weights: Path,
    box_threshold: float,
    text_threshold: float,
    fps: float,
    out: Path,
    as_json: bool,
) -> int:
    """Find things by words in footage, with a Grounding DINO of your own.

    The file of boxes is a head of `detect`: replay --head detect=FILE.jsonl makes records of them.
    """
    from operators.detect.told_boxes import SUFFIX
    from operators.outside.grounding import Asked, GroundingDino
    from pipeline.cli.countdown import countdown
    from pipeline.configuration.sources import plan_recordings
    from pipeline.prompts.grounded import ground

    if out.suffix != SUFFIX:
        raise click.UsageError(f"-o takes a file ending in {SUFFIX}, by which replay knows it")
    require_writable(out)
    asked = Asked.of(texts, box_threshold, text_threshold)
    plans = plan_recordings(sources)
    dino = GroundingDino.load(weights)
    dino.encoded(asked)  # too many words are told before anything is decoded
    with countdown("ground") as tell:
        done = ground(plans, dino, asked, out, fps=fps, tell=lambda what: tell(None, what))
    return _finish(done, sources, out, fps, as_json=as_json)


def _finish(
    done: Grounded, sources: tuple[str, ...], out: Path, fps: float, *, as_json: bool
) -> int:
    from pipeline.job import DONE, SOME_FAILED

    code = SOME_FAILED if done.trouble else DONE
    if as_json:
        said = {"file": str(out), "frames": done.frames, "things": done.things}
        click.echo(json.dumps({**said, "trouble": done.trouble}, ensure_ascii=False))
        return code
    for stream, why in done.trouble.items():
        click.echo(f"{stream}: {why}", err=True)
    found = ", ".join(f"{count} {name}" for name, count in done.things.most_common()) or "nothing"
    click.echo(f"{done.frames} frames: {found}")
    click.echo(
        f"wrote {out}; make records of it with replay {' '.join(sources)} --fps {fps:g} "
        f"--operator detect --head detect={out}"
    )
    return code
