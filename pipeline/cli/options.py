"""Options that commands share, and how they become a configuration.

click's values in -> keys of `pipeline.configuration.config.Config` out. An option not given says
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pipeline.configuration.config import Config

EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 some sources failed or lost "
    "frames, the others are complete, 130 stopped by Ctrl-C, 143 by SIGTERM: the same command goes "
    "on where it stopped."
)

Callback = TypeVar("Callback", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A number in a range, as `click.FloatRange`, which lets nan and infinity through."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


set_option = click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set any key of the configuration, such as --set operators.action.stride=2.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
patience_option = click.option(
    "--patience",
    "patience_s",
    type=FiniteRange(min=0),
    metavar="S",
    show_default="for ever",
    help="Give up when the sink is away for so many seconds.",
)
print_option = click.option(
    "--print-config",
    is_flag=True,
    help="Print the resolved configuration, secrets masked, and stop.",
)


def a_patch_or_more(ctx: click.Context, _: click.Parameter, value: int) -> int:
    """A frame's short side, held to the patch of the model; --model must be eager.

    Raises:
        click.BadParameter: smaller than that.
    """
    from operators.backbones.architectures import ARCHITECTURES

    arch = ARCHITECTURES.get(ctx.params["model"])
    if arch is not None and value < arch.patch:
        raise click.BadParameter(f"{value} is less than {arch.patch}, a patch of {arch.name}")
    return value


fps_option = click.option(
    "--fps",
    type=FiniteRange(min=0, min_open=True),
    show_default="5",
    help="Take so many frames per second.",
)

_SAMPLING = (
    fps_option,
    click.option("--every", type=int, metavar="N", help="Take every N-th frame."),
    click.option("--keyframes", is_flag=True, help="Take keyframes; the others are not decoded."),
    click.option("--all", is_flag=True, help="Take every frame."),
)
BACKBONE = (
    click.option(
        "--model",
        show_default="dinov2_vits14; of demo weights theirs",
        help="Architecture, such as dinov2_vits14 or dinov2_vitb14_reg.",
    ),
    click.option(
        "--weights",
        metavar="auto|demo|random|NAME|PATH",
        show_default="auto",
        help="Backbone weights: the official ones, ours, none; NAME: a Depth Anything's, such as "
        "da3metric-large.",
    ),
    click.option(
        "--seed", type=int, show_default="0", help="Seed of random weights, and of all other draws."
    ),
    click.option(
        "--short-side",
        type=int,
        metavar="PX",
        show_default="224, or as the heads were trained",
        help="Short side of a frame.",
    ),
)
HEADS = (
    click.option(
        "--head",
        "heads",
        metavar="OPERATOR=NAME|PATH",
        multiple=True,
        show_default="none; demo weights have theirs",
        help="Trained head of an operator, such as depth=nyu-linear; without one it does not run.",
    ),
)
WHICH = (
    click.option(
        "--operator",
        "operators",
        metavar="NAME|MODULE:CLASS",
        multiple=True,
        show_default="depth, segmentation, action, embedding",
        help="Run only these.",
    ),
)
_BACKENDS = click.Choice(["auto", "torch", "openvino", "openvino-int8"])
_BATCH = click.option(
    "--batch-size",
    type=int,
    metavar="B",
    show_default="8, on a GPU 64",
    help="Most frames of a batch.",
)
CPU_OPTIONS = (
    click.option(
        "--threads",
        type=int,
        metavar="N",
        show_default="every core",
        help="Frames that a CPU works on at once.",
    ),
    click.option(
        "--backend",
        type=_BACKENDS,
        show_default="auto",
        help="What computes the backbone on a CPU; auto: openvino where it is installed.",
    ),
    click.option("--engine", type=_BACKENDS, hidden=True),  # its old name
)
cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    show_default="the user's cache folder",
    help="Where computed features are kept.",
)
_WHERE = (
    click.option(
        "--runtime",
        type=click.Choice(["ray", "inline"]),
        show_default="ray",
        help="As actors of a Ray cluster, or in one process.",
    ),
    click.option(
        "--engines",
        type=int,
        metavar="N",
        show_default="1",
        help="Engines that share the streams (Ray).",
    ),
    click.option(
        "--address",
        metavar="HOST:PORT|auto|local",
        show_default="RAY_ADDRESS, else local",
        help="Ray cluster to join; auto: this machine's; local: one of its own.",
    ),
)


def _sink_option(default: str) -> Callable[[Callback], Callback]:
    return click.option(
        "--sink",
        metavar="URI",
        show_default=default,
        help="Where records go: sqlite:PATH or kafka://HOST:PORT[,HOST:PORT].",
    )


def run_options(function: Callback) -> Callback:
    """Every option that fills a key of the configuration by its own name."""
    sink = _sink_option("sqlite:results.db")
    mine = (*_SAMPLING, *BACKBONE, *HEADS, *WHICH, sink, _BATCH, *CPU_OPTIONS, *_WHERE)
    for option in reversed(mine):
        function = option(function)
    return function


def job_options(function: Callback) -> Callback:
    """Those of a job in one process, for commands whose --fps and --operator mean more."""
    sink = _sink_option("none: they are thrown away")
    for option in reversed((*BACKBONE, *HEADS, sink, _BATCH, *CPU_OPTIONS)):
        function = option(function)
    return function


def backbone_options(function: Callback) -> Callback:
    """Those of a backbone that features are computed with, and where they are kept."""
    for option in reversed((*BACKBONE, *CPU_OPTIONS, cache_option)):
        function = option(function)
    return function


def sight_options(function: Callback) -> Callback:
    """Those of a backbone whose features nobody keeps."""
    for option in reversed((*BACKBONE, *CPU_OPTIONS)):
        function = option(function)
    return function


def backbone_config(given: Mapping[str, Any], *, head: tuple[str, str] | None = None) -> Config:
    """The configuration that an inline job of these options would have: its defaults, its checks.

    Args:
        given: what click collected for `backbone_options`, and `fps` where that is an option.
        head: operator and choice of the head that is measured; the size is then the head's own.

    Raises:
        UsageError: a value that is none, or that contradicts the head; or a head that cannot be
            had with those weights.
    """
    from pipeline.configuration.resolve import resolve
    from pipeline.preflight import check_heads

    own = ("model", "weights", "seed", "short_side", "threads", "backend", "engine", "fps")
    values = configuration_values({name: given.get(name) for name in own}) | {"runtime": "inline"}
    if head is None:
        return resolve(None, values)
    operator, choice = head
    config = resolve(None, values | {"heads": {operator: choice}, "operators": [operator]})
    check_heads(config)
    return config


def configuration_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options as configuration keys.

    Args:
        given: what click collected for `run_options`.

    Raises:
        click.UsageError: two samplings at once, or a head without its operator.
    """
    values = {key: value for key, value in given.items() if _is_given(value)}
    sampling = {
        key: values.pop(key) for key in ("fps", "every", "keyframes", "all") if key in values
    }
    if len(sampling) > 1:
        raise click.UsageError(f"--{' and --'.join(sampling)} exclude each other; give one")
    if sampling:
        values["sampling"] = sampling
    if "heads" in values:
        values["heads"] = dict(_head(text) for text in values["heads"])
    return values


def source_values(sources: Sequence[str], *, stream: str | None) -> dict[str, Any]:
    """Sources of the command line as configuration keys; they replace those of a file.

    Raises:
        click.UsageError: one name for several sources.
    """
    if stream is None:
        return {"sources": list(sources), "streams": {}}
    if len(sources) != 1:
        raise click.UsageError(f"--stream names one source, got {len(sources)}")
    return {"sources": [], "streams": {stream: {"url": sources[0]}}}


def _is_given(value: object) -> bool:
    """Not what click has where an option is left out. 0 is a value, though it equals False."""
    return value is not None and value is not False and value != ()


def _head(text: str) -> tuple[str, str]:
    operator, equals, head = text.partition("=")
    if not (operator and equals and head):
        raise click.UsageError(f"--head takes OPERATOR=NAME or OPERATOR=PATH, got {text!r}")
    return operator, head
