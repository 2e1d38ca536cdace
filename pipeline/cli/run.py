"""`dinostream run`: live streams -> records, until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.feature_options import keep_options, keep_values
from pipeline.cli.listen_options import listen_options, place_of
from pipeline.cli.log_format import log_format_option
from pipeline.cli.options import json_option, patience_option, print_option, set_option


@click.command(
    "run", epilog="Example: dinostream run cameras.yaml --set sink=kafka://localhost:9092"
)
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG.yaml")
@patience_option
@keep_options
@set_option
@print_option
@json_option
@log_format_option
@listen_options("watch, add and remove streams")
def command(
    config: Path,
    *,
    patience_s: float | None,
    keep_features: Path | None,
    basis: Path | None,
    overrides: tuple[str, ...],
    print_config: bool,
    as_json: bool,
    listen: str | None,
    allowed_hosts: tuple[str, ...],
) -> int:
    """Turn live streams into records until SIGINT or SIGTERM, then drain and exit 0.

    CONFIG.yaml names the streams: rtsp(s)://, http(s)://, udp://, tcp://, srt:// and files.
    docs/configuration.md lists every key. Streams that are added to the file, changed or taken
    out of it begin and end while the others go on.
    """
    from pipeline.configuration.resolve import describe, resolve

    given = keep_values(keep_features, basis)
    given |= {} if patience_s is None else {"patience_s": patience_s}
    resolved = resolve(config, given, overrides)
    if not resolved.streams and not listen:
        raise click.UsageError(
            f"{config} names no streams; write streams: {{gate: {{url: rtsp://...}}}}, or --listen "
            "to add some later"
        )
    if print_config:
        click.echo(describe(resolved), nl=False)
        return 0
    from pipeline.control.config_file import ConfigFile
    from pipeline.control.steered import Steered
    from pipeline.display import open_display
    from pipeline.job import run_job

    place = place_of(listen, allowed_hosts)
    file = ConfigFile(config, resolved, lambda: resolve(config, given, overrides))
    display = open_display(as_json=as_json, live=True)
    try:
        return run_job(
            resolved, live=True, fresh=False, display=display, steered=Steered(file, place)
        )
    finally:
        display.close()
