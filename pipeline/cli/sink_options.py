"""Options that commands share which read a sink."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline.cli.moment import moment_us

sink_config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="YAML file with the sink's client settings."
)
follow_option = click.option(
    "--follow", "-f", is_flag=True, help="Wait for more until interrupted."
)
group_option = click.option(
    "--group",
    metavar="NAME",
    show_default="none",
    help="Kafka's consumer group: share records with its other members, and go on where they were "
    "(with --follow).",
)

since_option = click.option(
    "--since",
    "since_us",
    type=moment_us,
    metavar="TIME",
    show_default="the beginning",
    help="Published then or later.",
)
until_option = click.option(
    "--until",
    "until_us",
    type=moment_us,
    metavar="TIME",
    show_default="none",
    help="Published before then.",
)


def sink_settings(config: Path | None) -> dict[str, Any]:
    """The client settings of a configuration file's sink; none without a file."""
    if config is None:
        return {}
    from pipeline.configuration.resolve import sink_of

    return sink_of(config).settings
