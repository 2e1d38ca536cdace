"""`dinostream weights`: official files there are, fetching one, looking into one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click


@click.group("weights", epilog="Example: dinostream weights fetch dinov2_vits14")
def command() -> None:
    """List, fetch and inspect weights of backbones and heads."""


@command.command("list", epilog="Example: dinostream weights list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> int:
    """List the official files, and which of them are in the cache."""
    from operators.weights.cache import default_cache_dir
    from operators.weights.catalogue import CATALOGUE

    cache_dir = default_cache_dir()
    wide = max(len(file.model) for file in CATALOGUE)
    for file in CATALOGUE:
        cached = (cache_dir / file.file_name).exists()
        if as_json:
            click.echo(json.dumps({**asdict(file), "cached": cached}))
            continue
        size = f"{file.size_bytes / 1e6:.0f} MB" if file.size_bytes else "size unknown"
        name = f"{file.purpose} {file.head}" if file.head else file.purpose
        mark = "cached" if cached else f"by hand: {file.form}" if file.form else ""
        click.echo(f"{file.model:<{wide}} {name:<32} {size:>12}  {file.licence}  {mark}".rstrip())
    _list_outside(as_json, wide)
    return 0


def _list_outside(as_json: bool, wide: int) -> None:
    """Models that users bring themselves: fetched by nobody here.

    Args:
        as_json: one JSON object a line.
        wide: characters of the first column.
    """
    from operators.outside.published import FAMILIES

    for family, home in ((one, home) for one in FAMILIES for home in one.homes):
        model, use = home.rpartition("/")[2], f"{family.purpose} {family.option}"
        if as_json:
            own = {"url": home, "purpose": family.purpose, "model": model, "head": None}
            told = {"option": family.option, "licence": family.licence, "cached": False}
            click.echo(json.dumps({**own, **told}))
        else:
            click.echo(f"{model:<{wide}} {use:<32} {'':>12}  {family.licence}  from {home}")


@command.command(
    "fetch", epilog="Example: dinostream weights fetch dinov2_vits14 --head depth=nyu-linear"
)
@click.argument("model")
@click.option("--head", metavar="OPERATOR=NAME", help="A head for it instead of the backbone.")
def fetch_(model: str, head: str | None) -> int:
    """Fetch an official file into the cache and verify it."""
    from operators.backbones.architectures import architecture
    from operators.weights.cache import default_cache_dir
    from operators.weights.catalogue import official_backbone, official_head
    from operators.weights.download import fetch

    architecture(model)
    if head is None:
        file = official_backbone(model)
    else:
        operator, _, name = head.partition("=")
        file = official_head(operator, model, name)
    found = fetch(file, default_cache_dir(), progress=_announcer(file.file_name))
    click.echo(f"{found.path} sha256 {found.sha256}")
    return 0


@command.command("inspect", epilog="Example: dinostream weights inspect dinov2_vits14_pretrain.pth")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, with every tensor.")
def inspect_(path: Path, as_json: bool) -> int:
    """Say what a weights file holds, and what a head in it is for; nothing in it is run."""
    from operators.weights.inspection import inspect_weights, inspection_lines

    facts = inspect_weights(path)
    click.echo(json.dumps(facts) if as_json else "\n".join(inspection_lines(path, facts)))
    return 0


def _announcer(name: str) -> Callable[[int, int | None], None]:
    """Says every tenth of a download once."""
    said = 0

    def announce(done: int, total: int | None) -> None:
        nonlocal said
        if total and done * 10 // total > said:
            said = done * 10 // total
            click.echo(f"{name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB", err=True)

    return announce
