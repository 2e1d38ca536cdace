"""The option that puts backbones of others beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.fit.contender import Beside

beside_option = click.option(
    "--beside",
    metavar="FAMILY:MODEL[=FILE]",
    multiple=True,
    show_default="none",
    help="A backbone of others: timm:, ibot: or open_clip:, with the file of its weights (else "
    "random ones), or pixels:8x8; several may be named.",
)


def contenders(beside: Sequence[str], config: Config) -> list[Beside]:
    """Those that the option names, on as many threads and with the seed of the configuration.

    Raises:
        UsageError: one is no such name, or cannot be had.
    """
    from operators.peers.load import check_peer
    from operators.peers.name import PeerName
    from pipeline.fit.contender import Beside

    names = list(dict.fromkeys(PeerName.parse(text) for text in beside))
    for name in names:
        check_peer(name)
    return [Beside(name, config.seed, config.threads) for name in names]
