"""`dinostream replay`: recorded footage -> records, exits when done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pipeline.cli.feature_options import (
    archive_source,
    from_option,
    keep_options,
    keep_values,
)
from pipeline.cli.listen_options import listen_options, place_of
from pipeline.cli.log_format import log_format_option
from pipeline.cli.options import (
    EXIT_CODES,
    configuration_values,
    json_option,
    patience_option,
    print_option,
    run_options,
    set_option,
    source_values,
)

if TYPE_CHECKING:
    from pipeline.web.place import Place


@click.command(
    "replay",
    epilog="Example: dinostream replay footage/ --fps 2 --sink sqlite:results.db\n\n" + EXIT_CODES,
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option(
    "--stream", metavar="NAME", show_default="from its name", help="Stream id, for a single source."
)
@click.option("--join", is_flag=True, help="Play a folder's files, in order, as one stream.")
@click.option(
    "--layout",
    metavar="NAMES",
    show_default="each file is a stream of its own",
    help="How a recorder names its files, such as 'cam-{stream}/{time:%Y-%m-%d_%H-%M}.mp4'; those "
    "of a stream are played as one.",
)
@click.option(
    "--timezone",
    metavar="NAME",
    show_default="what the names say themselves",
    help="Zone of their times, such as Europe/Berlin or UTC.",
)
@click.option(
    "--start-time",
    metavar="RFC3339",
    show_default="when the file says it was made, else 1970-01-01T00:00:00Z",
    help="Event time of the first frame.",
)
@click.option("--resume/--fresh", default=True, show_default=True, help="Go on, or start anew.")
@click.option(
    "--verify",
    metavar="SINK",
    show_default="nothing",
    help="Compute again what SINK has, and say what differs; nothing is written.",
)
@from_option
@run_options
@keep_options
@patience_option
@click.option("--config", type=click.Path(path_type=Path), help="YAML file below these options.")
@set_option
@print_option
@json_option
@log_format_option
@listen_options("watch the streams")
def command(
    sources: tuple[str, ...],
    *,
    stream: str | None,
    resume: bool,
    verify: str | None,
    archive: str | None,
    keep_features: Path | None,
    basis: Path | None,
    config: Path | None,
    overrides: tuple[str, ...],
    print_config: bool,
    as_json: bool,
    listen: str | None,
    allowed_hosts: tuple[str, ...],
    **given: Any,
) -> int:
    """Turn recorded footage into records.

    A SOURCE is a file, a folder, a glob, an http(s) file, s3://BUCKET/KEY,
    synthetic:room?seed=1&seconds=10, or the folder of a tape (`record:` of a live stream).
    A run that was killed goes on where its last commit was.
    """
    from pipeline.configuration.resolve import describe, resolve

    values = configuration_values(given) | keep_values(keep_features, basis)
    if archive is not None and sources:
        raise click.UsageError("--from names all that is read; leave SOURCE out")
    if archive is not None:
        sources = (archive_source(archive),)
    if sources:
        values |= source_values(sources, stream=stream)
    elif stream is not None:
        raise click.UsageError("--stream names a SOURCE, and none is given")
    resolved = resolve(config, values, overrides)
    if not resolved.sources and not resolved.streams:
        raise click.UsageError("nothing to replay: give a SOURCE, or a --config with streams")
    if print_config:
        click.echo(describe(resolved), nl=False)
        return 0
    if verify is not None:
        from pipeline.cli import verification

        _refuse_beside_verify()
        settings = verification.settings_of(config, verify)
        return verification.verify(resolved, verify, settings, as_json=as_json)
    return _run(resolved, place_of(listen, allowed_hosts), fresh=not resume, as_json=as_json)


def _refuse_beside_verify() -> None:
    """What is given and would do nothing; `resume` has a value that nobody gave, too."""
    context = click.get_current_context()
    for name, option, why in (
        ("resume", "--resume/--fresh", "all is computed anew"),
        ("listen", "--listen", "what is computed again cannot be watched"),
        ("allowed_hosts", "--allow-host", "nothing listens"),
    ):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--verify and {option} exclude each other: {why}; leave it out")


def _run(config: Any, place: Place | None, *, fresh: bool, as_json: bool) -> int:
    from pipeline.display import open_display
    from pipeline.job import run_job

    steered = None
    if place:
        from pipeline.control.steered import Steered

        steered = Steered(None, place)
    display = open_display(as_json=as_json)
    try:
        return run_job(config, live=False, fresh=fresh, display=display, steered=steered)
    finally:
        display.close()
