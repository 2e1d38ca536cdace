"""`dinostream plot`: figures of a sink's records, or of a benchmark's report."""

from __future__ import annotations

import os
import sys
from contextlib import closing, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from pipeline.cli.sink_options import since_option, sink_config_option, sink_settings, until_option

WHAT = ("throughput", "latency", "classes", "drops", "ledger")
TOLD_EVERY = 1000  # records between two looks at the clock


def _chosen(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...]:
    names = WHAT if text is None else tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in WHAT:
            near = get_close_matches(name, WHAT, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise click.BadParameter(f"{name!r} is not drawn; {hint}there are: {', '.join(WHAT)}")
    return names


def _svg(_: click.Context, __: click.Parameter, path: Path) -> Path:
    if str(path) != "-" and path.suffix != ".svg":
        raise click.BadParameter(f"{path}: what is drawn is SVG; give a name that ends in .svg")
    return path


@click.command(
    "plot",
    epilog="Example: dinostream plot sqlite:results.db --stream gate -o gate.svg; or, of a "
    "benchmark: dinostream plot bench.json -o bench.svg",
)
@click.argument("source", metavar="SINK|RESULTS.json")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE.svg",
    required=True,
    callback=_svg,
    help="What to write; - is stdout.",
)
@click.option(
    "--what",
    metavar="NAME[,NAME]...",
    show_default=",".join(WHAT),
    callback=_chosen,
    help="Only these.",
)
@click.option(
    "--stream",
    "streams",
    metavar="NAME",
    multiple=True,
    show_default="every one",
    help="Only this stream; may be repeated.",
)
@since_option
@until_option
@sink_config_option
@click.pass_context
def command(context: click.Context, /, source: str, output: Path, **given: Any) -> int:
    """Draw a sheet of figures as SVG.

    Of a SINK: frames per second of every stream, latency by stage, what was seen over time, frames
    that were dropped and why, and what became of all of them. It is read once, and a run may go on
    meanwhile. Of what `dinostream bench ... --out RESULTS.json` has kept: medians and ranges beside
    goals and peers.
    """
    if source.partition(":")[0] in ("sqlite", "kafka"):
        document = _of_sink(source, **given)
    else:
        _refuse_sink_options(context, source)
        from pipeline.plot.results import results_sheet

        document = results_sheet(Path(source))
    _write(document, output)
    return 0


def _of_sink(
    sink: str,
    *,
    what: tuple[str, ...],
    streams: tuple[str, ...],
    since_us: int | None,
    until_us: int | None,
    config: Path | None,
) -> str:
    from pipeline.cli.countdown import countdown
    from pipeline.plot.records import records_sheet
    from pipeline.records.filter import Filter
    from pipeline.sinks.uri import open_reader, sink_name

    where = Filter(streams, since_us=since_us, until_us=until_us)
    settings = sink_settings(config)
    with closing(open_reader(sink, settings=settings)) as reader, countdown("reading") as tell:

        def read(records: int) -> None:
            if records % TOLD_EVERY == 0:
                tell(None, f"{records} records")

        return records_sheet(reader, sink_name(sink), what=what, where=where, tell=read)


def _refuse_sink_options(context: click.Context, source: str) -> None:
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and name not in ("source", "output"):
            raise click.UsageError(
                f"{option.opts[0]} is for a SINK (sqlite:PATH or kafka://HOST:PORT), "
                f"and {source} is none"
            )


def _write(document: str, output: Path) -> None:
    from pipeline.errors import SinkError

    if str(output) == "-":
        try:
            sys.stdout.write(document)
            sys.stdout.flush()
        except BrokenPipeError:  # `plot | head`: the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    draft = output.with_name(f"{output.name}.part")
    try:
        draft.write_text(document, encoding="utf-8")
        draft.replace(output)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise SinkError(f"cannot write {output}: {error.strerror or error}") from error
