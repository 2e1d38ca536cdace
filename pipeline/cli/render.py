"""`dinostream render`: records drawn over the video that they are of."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import (
    FiniteRange,
    configuration_values,
    job_options,
    set_option,
    source_values,
)

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.render.film import Outputs
    from pipeline.render.rendering import Wish
    from pipeline.stream.spec import StreamSpec

SHOTS = "shots"


@click.command(
    "render",
    epilog="Example: dinostream render clip.mp4 --weights random -o out.mp4 --png; or, of records "
    "that are there: dinostream render sqlite:results.db --source clip.mp4 -o out.mp4",
)
@click.argument("what", metavar="SOURCE|SINK")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("render.mp4"),
    show_default=True, metavar="PATH", help="A .mp4, .gif or .png file.",
)  # fmt: skip
@click.option("--gif", is_flag=True, help="Write a GIF too, beside it.")
@click.option("--png", is_flag=True, help="Write one frame as a PNG too, beside it.")
@click.option("--at", "still_s", type=FiniteRange(min=0), metavar="SECONDS",
              show_default="the middle", help="Which frame the PNG is.")  # fmt: skip
@click.option("--source", metavar="SOURCE", help="The recording that the records of a SINK are of.")
@click.option("--stream", metavar="NAME", show_default="the only one", help="Stream id.")
@click.option("--layout", type=click.Choice(["side", "blend"]), default="side", show_default=True,
              help="Maps beside the video, or laid over it.")  # fmt: skip
@click.option("--fps", type=FiniteRange(min=0, min_open=True, max=60), default=10.0,
              show_default=True, help="Frames per second of the film.")  # fmt: skip
@click.option("--operator", "operators", metavar="NAME", multiple=True,
              show_default="all that there are",
              help="Draw, and make, only these: depth, segmentation, pca, anomaly, action; "
              "of a SINK also zones, detect, track, tamper, shots.")  # fmt: skip
@click.option("--variant", "variants", metavar="HASH", multiple=True,
              show_default="the newest ones", help="Of a SINK: draw these.")  # fmt: skip
@job_options
@click.option("--config", type=click.Path(path_type=Path), help="YAML file below these options.")
@set_option
def command(what: str, **given: Any) -> int:
    """Draw depth, segmentation, pca and action over the video that they are of.

    Of a SOURCE (one recording) the records are made first, into a file that is thrown away, or into
    --sink, where they are made only if they are not there yet. Of a SINK (sqlite: or kafka:) they
    are read, and --source says which recording they are of; of several models the newest is drawn,
    --model ARCHITECTURE or ARCHITECTURE-HASH chooses, as `tail` names them.
    """
    from pipeline.render.film import outputs_of

    outputs = outputs_of(given.pop("output"), gif=given.pop("gif"), png=given.pop("png"))
    looks = {name: given.pop(name) for name in ("still_s", "layout", "fps", "variants")}
    stream, source = given.pop("stream"), given.pop("source")
    file, overrides = given.pop("config"), given.pop("overrides")
    is_sink = what.partition(":")[0] in ("sqlite", "kafka")
    chosen = _chosen(given["operators"], is_sink=is_sink)
    given["operators"] = () if is_sink else chosen
    _check_pair(what, is_sink=is_sink, source=source, sink=given["sink"])
    if looks["variants"] and not is_sink:
        raise click.UsageError("--variant is for records of a SINK")
    model = given.pop("model") if is_sink else None
    values = configuration_values(given)
    if file is None:
        values.setdefault("runtime", "inline")  # one clip: no cluster to start for it
    kept = what if is_sink else values.get("sink")
    with _records(kept) as sink:
        values |= source_values([source or what], stream=None if is_sink else stream)
        values["sink"] = sink
        config = _resolved(file, values, overrides)
        spec = _only(config)
        _refuse_to_draw_over(spec, outputs)
        from pipeline.render.rendering import Wish

        wish = Wish(
            sink=config.sink.uri,
            spec=spec,
            outputs=outputs,
            operators=_topics(chosen, cuts=not is_sink and bool(spec.shots)),
            stream=stream,
            model=model if is_sink or not kept else _model_of(config),
            settings=config.sink.settings,
            **looks,
        )
        _refuse_what_is_past_the_end(wish)
        if not is_sink and (code := _made(config, wish, kept=kept is not None)):
            return code
        return _draw(wish)


def _draw(wish: Wish) -> int:
    from pipeline.cli.countdown import countdown
    from pipeline.render.film import GIF_FRAMES
    from pipeline.render.rendering import render

    with countdown("drawing") as tell:
        done = render(wish, tell=lambda one: tell(one.share, f"{one.elapsed_s:.1f} s of footage"))
    drawn = ", ".join(done.operators)
    for note in done.notes:
        click.echo(note, err=True)
    whose = f" of {done.model}" if done.model else ""
    click.echo(f"{done.frames} frames of {done.stream}: {drawn}{whose}")
    for path in wish.outputs.paths:
        cut = f", its first {GIF_FRAMES} frames" if path == wish.outputs.gif else ""
        click.echo(f"{path}{cut if done.frames > GIF_FRAMES else ''}")
    return 0


def _made(config: Config, wish: Wish, *, kept: bool) -> int:
    """Make the records where they are not there yet; the exit code of the job."""
    from pipeline.render.survey import holds_records

    def are_there() -> bool:
        return holds_records(wish.sink, wish.wanted, settings=wish.settings)

    if kept and are_there():
        click.echo(f"the records are there already, in {wish.wanted.sink}", err=True)
        return 0
    part = None if kept else _part(config, wish)
    if part:
        code = _run(part, whole="which is all that the picture needs")
        if code or are_there():
            return code
    return _run(config)


def _part(config: Config, wish: Wish) -> Config | None:
    """The same of those seconds alone that one picture needs; None where all of it is drawn."""
    from pipeline.render.moment import needed_span_s

    only_still = wish.outputs.paths == [wish.outputs.png]
    whole = config.span_s is not None or wish.spec.shots  # whose numbers count from the beginning
    if wish.still_s is None or not only_still or whole:
        return None
    span_s = needed_span_s(config, wish.still_s, fps=wish.fps)
    return span_s and config.model_copy(update={"span_s": span_s})


def _run(config: Config, *, whole: str = "") -> int:
    """Run the job; `whole`: why the seconds that it was given are enough."""
    from pipeline.display import open_display
    from pipeline.job import run_job
    from pipeline.kept_report import KeptReport

    display = KeptReport(open_display())
    try:
        code = run_job(config, live=False, fresh=False, display=display)
    finally:
        display.close()
    if display.report and config.span_s and whole:
        first, last = config.span_s
        frames = f"{display.report.frames} frames from {first:.1f} s to {last:.1f} s"
        click.echo(f"analysed {frames}, {whole}", err=True)
    if code and display.report:
        click.echo("\n".join(display.report.lines()), err=True)
    return code


def _check_pair(what: str, *, is_sink: bool, source: str | None, sink: str | None) -> None:
    if is_sink and source is None:
        raise click.UsageError(
            "records hold no pixels: give the recording that they are of with --source"
        )
    if not is_sink and source is not None:
        raise click.UsageError(f"{what} is a recording itself; --source is for records of a SINK")
    if is_sink and sink is not None:
        raise click.UsageError(f"{what} is a sink itself; leave out --sink")


def _chosen(names: tuple[str, ...], *, is_sink: bool) -> tuple[str, ...]:
    """Operators in the order in which they are drawn. Where none is named: of a sink all that it
    has records of, of a recording those that run on any."""
    from pipeline.render.overlay import OVERLAID
    from pipeline.render.wanted import DRAWN, MADE

    if "zones" in names and not is_sink:
        raise click.UsageError(
            "zones are drawn over streams of a configuration: replay it, and render the sink; or "
            "`dinostream zones check`"
        )
    if SHOTS in names and not is_sink:
        raise click.UsageError(
            "shots are no operator: with --set shots=true they are looked for and drawn"
        )
    known = (*DRAWN, *OVERLAID)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise click.UsageError(
                f"operator {name!r} is not drawn; {hint}there are: {', '.join(known)}"
            )
    if not names:
        return known if is_sink else MADE
    return tuple(name for name in known if name in names)


def _topics(operators: tuple[str, ...], *, cuts: bool) -> tuple[str, ...]:
    """Those of an operator's that are drawn; `cuts` where a recording's are looked for."""
    from pipeline.render.overlay import OVERLAID

    topics = [OVERLAID.get(name, name) for name in operators]
    return tuple(dict.fromkeys([*topics, *([SHOTS] if cuts else [])]))


def _resolved(file: Path | None, values: dict[str, Any], overrides: tuple[str, ...]) -> Config:
    from pipeline.configuration.resolve import resolve

    return resolve(file, values, overrides)


def _only(config: Config) -> StreamSpec:
    from pipeline.configuration.streams import stream_specs

    specs = stream_specs(config, live=False)
    if len(specs) != 1:
        raise click.UsageError(f"render takes one recording, got {len(specs)}; name one of them")
    return specs[0]


def _model_of(config: Config) -> str:
    """As records name it: those of other weights in the same sink are others' records."""
    from operators.backbones.architectures import architecture
    from operators.weights.load import backbone_name
    from pipeline.preflight import check_heads

    check_heads(config)  # official weights are fetched for their name
    return backbone_name(architecture(config.model), config.weights, seed=config.seed)


def _refuse_to_draw_over(spec: StreamSpec, outputs: Outputs) -> None:
    """A film in place of its own recording would be the end of that."""
    for path in outputs.paths:
        for own in (Path(url) for url in (spec.url, *spec.join)):
            if path.exists() and own.exists() and path.samefile(own):
                raise click.UsageError(f"{path} is the recording itself; give -o another name")


def _refuse_what_is_past_the_end(wish: Wish) -> None:
    """Found out before all of it is analysed or drawn in vain."""
    from pipeline.render.pixels import require_reached

    if wish.outputs.png and wish.still_s:
        require_reached(wish.spec, wish.still_s)


@contextmanager
def _records(sink: str | None) -> Iterator[str]:
    """Where the records are, or a file that is thrown away."""
    if sink is not None:
        yield sink
        return
    with tempfile.TemporaryDirectory(prefix="dinostream-") as folder:
        yield f"sqlite:{Path(folder) / 'records.db'}"
