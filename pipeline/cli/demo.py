"""`dinostream demo`: one clip through everything, with a picture and a film of what came out."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

FOLDER = Path("results")


@click.command("demo", epilog="Example: dinostream demo clip.mp4 --runtime inline")
@click.argument("clip", required=False)
@click.option("--fresh", is_flag=True, help="Do it again; otherwise what is done is kept.")
@click.option("--view", is_flag=True, help="Serve the page over it, until Ctrl-C.")
@click.option("--runtime", type=click.Choice(["ray", "inline"]), default="ray", show_default=True)
@click.option(
    "--weights",
    metavar="demo|random|auto|PATH",
    default="demo",
    show_default=True,
    help="Backbone weights; heads come with demo, and random ones are drawn.",
)
@click.option(
    "--model",
    metavar="NAME",
    show_default="dinov2_vits14; of demo weights theirs",
    help="Architecture, where the weights leave a choice.",
)
def command(
    clip: str | None, *, fresh: bool, view: bool, runtime: str, weights: str, model: str | None
) -> int:
    """Turn CLIP, or a rendered scene, into records in results/demo.db, a picture and a film.

    The weights are the small ones that ship with dinostream, so nothing is downloaded. They know
    rendered scenes only: on real footage maps look plausible and their numbers are wrong.
    """
    from pipeline.demo.clip import SHOWN, given_clip, rendered_clip
    from pipeline.demo.demonstration import Plan, demonstrate
    from pipeline.display import open_display
    from pipeline.secrets import mask

    def say(text: str) -> None:
        click.echo(mask(text))

    plan = Plan(
        clip=given_clip(clip) if clip else rendered_clip(FOLDER, say, scene=SHOWN),
        folder=FOLDER,
        runtime=runtime,
        weights=weights,
        model=model,
        fresh=fresh,
        afresh=f"make demo {f'CLIP={shlex.quote(clip)} ' if clip else ''}FRESH=1",
    )
    display = open_display()
    try:
        code = demonstrate(plan, display=display, say=say)
    finally:
        display.close()
    sink, media = plan.config.sink.uri, plan.clip.source
    if code == 0 and view:
        from pipeline.cli.view import show
        from pipeline.view.footage import Footage
        from pipeline.view.opening import Wish

        show(Wish(sink, Footage.of([media])))
    elif code == 0:
        say(f"see it in a browser: dinostream view {sink} --media {shlex.quote(media)}")
    return code
