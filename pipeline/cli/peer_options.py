"""The option that puts backbones of others beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.fit.contender import Beside, Ours

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


def ours(config: Config, *, alone: bool = False) -> list[Ours]:
    """Our own backbone of the configuration, and one of the same sizes with random weights.

    Args:
        alone: leave those out.
    """
    from operators.weights.backbone_choice import RANDOM
    from pipeline.fit.contender import Ours

    weights = dict.fromkeys([config.weights] if alone else [config.weights, RANDOM])
    own = (config.seed, config.threads, config.backend)
    return [Ours(config.model, one, *own) for one in weights]
