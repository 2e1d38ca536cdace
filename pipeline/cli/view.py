"""`dinostream view`: one page over the records of a sink."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.moment import moment_us
from pipeline.cli.options import FiniteRange
from pipeline.cli.sink_options import sink_config_option, sink_settings

if TYPE_CHECKING:
    from pipeline.view.opening import Wish

LISTEN = "127.0.0.1:8601"
GIB = 1 << 30


@click.command(
    "view",
    epilog="Example: dinostream view sqlite:results.db --media footage/, and then a browser at the "
    "address that it says.",
)
@click.argument("sink")
@click.option(
    "--media",
    metavar="SOURCE",
    multiple=True,
    show_default="none",
    help="Footage that the records are of: files, folders, http(s) and s3 addresses, the folder of "
    "a tape.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default=LISTEN,
    show_default=True,
    help="Where; beyond loopback the environment has to have a DINOSTREAM_TOKEN.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    show_default="those of loopback and of --listen",
    help="Another name that browsers may ask for, such as a proxy's.",
)
@click.option(
    "--since",
    "since_us",
    type=moment_us,
    metavar="TIME",
    show_default="an hour ago",
    help="Of a Kafka sink: records that were published then or later.",
)
@click.option(
    "--keep",
    "keep_gib",
    type=FiniteRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    metavar="GIB",
    help="Of a Kafka sink: so much of them is kept on this machine at most.",
)
@click.option(
    "--view",
    "viewer",
    type=click.Choice(["page", "rerun"]),
    default="page",
    show_default=True,
    help="A page, or a file for Rerun's viewer, which -o names.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.rrd",
    show_default="none",
    help="Of --view rerun: the records of --since, else all.",
)
@sink_config_option
def command(
    sink: str,
    *,
    media: tuple[str, ...],
    listen: str,
    hosts: tuple[str, ...],
    since_us: int | None,
    keep_gib: float,
    viewer: str,
    output: Path | None,
    config: Path | None,
) -> int:
    """Serve a page over the records of SINK, while they are written or long afterwards."""
    if (viewer == "rerun") != (output is not None):
        raise click.UsageError("--view rerun and -o FILE.rrd go together")
    if output is not None:
        _refuse_page_options()
        from pipeline.cli.view_rerun import write

        return write(sink, output, since_us, sink_settings(config))
    from pipeline.view.footage import Footage
    from pipeline.view.opening import Wish

    wish = Wish(sink, Footage.of(media), since_us, int(keep_gib * GIB), sink_settings(config))
    show(wish, listen, hosts)
    return 0


def _refuse_page_options() -> None:
    """A file has no page, so that whoever sets something of one means something else."""
    of_page = {"media": "--media", "listen": "--listen", "hosts": "--allow-host"}
    of_page |= {"keep_gib": "--keep"}
    context = click.get_current_context()
    for name, option in of_page.items():
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} is of the page; leave it out with --view rerun")


def show(wish: Wish, listen: str = LISTEN, hosts: Sequence[str] = ()) -> None:
    """Serve the page until Ctrl-C or SIGTERM, and say where."""
    from pipeline.secrets import mask_url
    from pipeline.view.service import serving
    from pipeline.web.place import parse_place

    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with serving(wish, parse_place(listen, allowed=hosts)) as url:
        click.echo(f"{mask_url(wish.sink)} is shown at {url} until Ctrl-C")
        try:
            over.wait()
        except KeyboardInterrupt:
            click.echo("", err=True)
