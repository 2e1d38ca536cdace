"""The options of an HTTP service beside a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.web.place import Place

Command = Callable[..., Any]


def listen_options(what: str) -> Callable[[Command], Command]:
    """`--listen` and `--allow-host`, for `place_of`.

    Args:
        what: the service is good for.
    """

    def given(command: Command) -> Command:
        command = click.option(
            "--allow-host",
            "allowed_hosts",
            metavar="NAME",
            multiple=True,
            show_default="those of loopback and of --listen",
            help="Answer browsers that call it by this name, too; repeat for others.",
        )(command)
        return click.option(
            "--listen",
            metavar="HOST:PORT",
            show_default="nowhere",
            help=f"Open an HTTP service to {what}, such as 127.0.0.1:8600.",
        )(command)

    return given


def place_of(listen: str | None, allowed_hosts: tuple[str, ...]) -> Place | None:
    """Where the service is to listen; None: nowhere.

    Raises:
        UsageError: it cannot be, or a name is allowed and nothing listens.
    """
    if listen is None:
        if allowed_hosts:
            raise click.UsageError(
                "--allow-host is of a service: give --listen too, or leave it out"
            )
        return None
    from pipeline.web.place import parse_place

    return parse_place(listen, allowed=allowed_hosts)
