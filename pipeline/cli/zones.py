"""`dinostream zones`: the zones and lines of a configuration over the stream that they are of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import Callback, FiniteRange, set_option

if TYPE_CHECKING:
    from operators.places.places import Places
    from pipeline.configuration.config import Config
    from pipeline.render.places import Told
    from pipeline.stream.spec import StreamSpec

config_option = click.option(
    "-c", "--config", type=click.Path(path_type=Path), required=True,
    help="YAML file with the stream and its zones.",
)  # fmt: skip
stream_argument = click.argument("stream", metavar="STREAM")


def _output(default: str, what: str) -> Callable[[Callback], Callback]:
    return click.option(
        "-o", "--output", type=click.Path(path_type=Path), default=Path(default),
        show_default=True, metavar="PATH", help=what,
    )  # fmt: skip


def _at(what: str) -> Callable[[Callback], Callback]:
    return click.option(
        "--at", "at_s", type=FiniteRange(min=0), default=0.0, show_default="the first",
        metavar="SECONDS", help=what,
    )  # fmt: skip


@click.group("zones", epilog="Example: dinostream zones draw yard -c cameras.yaml -o yard.png")
def command() -> None:
    """Look at zones and lines before they are used."""


@command.command(
    "draw", epilog="Example: dinostream zones draw yard -c cameras.yaml -o yard.png --at 12"
)
@stream_argument
@config_option
@_output("zones.png", "A .png file.")
@_at("Which frame.")
@set_option
def draw(
    stream: str, *, config: Path, output: Path, at_s: float, overrides: tuple[str, ...]
) -> int:
    """Take a still of STREAM and draw its zones over it, with a grid to read places off.

    Shares of the picture are written along the upper and left edge, pixels of the source along the
    lower and right one. A stream without zones gets the grid alone.
    """
    from operators.places.places import Places
    from pipeline.render.film import outputs_of
    from pipeline.render.places import write_still

    outputs = outputs_of(output, gif=False, png=False)
    if outputs.png is None:
        raise click.UsageError(f"{output}: a still is a .png")
    spec, places = _stream(config, overrides, stream, live=True)
    info = write_still(spec, places or Places(), outputs.png, at_s=at_s)
    height, width = info.source_hw
    click.echo(f"{output}: {stream}, {width} x {height} pixels, {_count(places)}")
    return 0


@command.command(
    "check",
    epilog="Example: dinostream zones check yard -c cameras.yaml --sink sqlite:results.db "
    "-o yard.mp4",
)
@stream_argument
@config_option
@_output("zones.mp4", "A .mp4, .gif or .png file.")
@click.option(
    "--sink",
    metavar="URI",
    show_default="none",
    help="Show what the records there say of the zones, too.",
)
@click.option("--fps", type=FiniteRange(min=0, min_open=True, max=60), default=10.0,
              show_default=True, help="Frames per second of the film.")  # fmt: skip
@_at("Which frame a .png shows.")
@set_option
def check(
    stream: str,
    *,
    config: Path,
    output: Path,
    sink: str | None,
    fps: float,
    at_s: float,
    overrides: tuple[str, ...],
) -> int:
    """Draw STREAM's zones over its recording, as a film.

    With --sink, what its records say of them is written beside their names: who is in them, how
    near, which alerts hold.
    """
    from pipeline.cli.countdown import countdown
    from pipeline.render.film import outputs_of
    from pipeline.render.places import write_checked

    outputs = outputs_of(output, gif=False, png=False)
    spec, places = _stream(config, overrides, stream, live=False)
    if places is None:
        raise click.UsageError(f"streams.{stream} has no zones to check; draw shows its picture")
    said = _told(sink, config, spec) if sink else None
    with countdown("drawing") as show:
        frames = write_checked(
            spec, places, outputs, fps=fps, at_s=at_s, said=said,
            tell=lambda one: show(one.share, f"{one.elapsed_s:.1f} s of footage"),
        )  # fmt: skip
    click.echo(f"{output}: {frames} frames of {stream}, {_count(places)}")
    return 0


def _stream(
    file: Path, overrides: tuple[str, ...], name: str, *, live: bool
) -> tuple[StreamSpec, Places | None]:
    """A stream of the file as it is opened, and what is drawn over it."""
    from pipeline.configuration.placed import places_of
    from pipeline.configuration.resolve import resolve
    from pipeline.configuration.streams import stream_spec

    config = resolve(file, {}, overrides)
    _require(name, config)
    own = config.streams[name]
    places = places_of(name, own.zones, own.alerts, ("zones",))
    # Only its picture is wanted: no operator has to run, and nothing is taped.
    bare = own.model_copy(update={"zones": {}, "alerts": {}, "record": None, "operators": None})
    return stream_spec(config, name, bare, live=live), places


def _require(name: str, config: Config) -> None:
    from pipeline.configuration.values import hint

    if name not in config.streams:
        known = hint(name, list(config.streams)) if config.streams else "it names none"
        raise click.UsageError(f"no stream {name!r} in the configuration; {known}")


def _told(sink: str, config: Path, spec: StreamSpec) -> Told:
    from pipeline.cli.sink_options import sink_settings
    from pipeline.render.places import told
    from pipeline.sinks.uri import open_reader

    with closing(open_reader(sink, settings=sink_settings(config))) as reader:
        said = told(reader, spec)
    if said is None:
        raise click.UsageError(
            f"{sink} has no records of zones of {spec.stream}'s recording; replay it with the "
            "operator zones, or leave --sink out"
        )
    return said


def _count(places: Places | None) -> str:
    zones, lines = (len(places.zones), len(places.lines)) if places else (0, 0)
    return (
        f"{zones} {'zone' if zones == 1 else 'zones'}, {lines} {'line' if lines == 1 else 'lines'}"
    )
