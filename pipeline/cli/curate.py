"""`dinostream curate`: footage -> a data set of pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from operators.errors import UsageError
from pipeline.cli.countdown import countdown
from pipeline.cli.options import (
    BACKBONE,
    CPU_OPTIONS,
    HEADS,
    FiniteRange,
    backbone_config,
    configuration_values,
    json_option,
)
from pipeline.cli.threshold_options import SAME, chosen_threshold, threshold_options

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.configuration.source_plan import SourcePlan
    from pipeline.curate.curate import Curated
    from pipeline.curate.setup import Setup
    from pipeline.curate.wish import Wish

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
_COUNT = click.IntRange(1)

Callback = TypeVar("Callback", bound=Callable[..., Any])


def _sight_and_head(function: Callback) -> Callback:
    """Options of the backbone, and of what finds classes that are hidden."""
    for option in reversed((*BACKBONE, *HEADS, *CPU_OPTIONS)):
        function = option(function)
    return function


@click.command(
    "curate",
    epilog="Example: dinostream curate footage/ --calibrated alike.safetensors --seed-images "
    "wanted/ --target 1000 -o dataset/",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--target", type=_COUNT, required=True, metavar="N",
              help="How many pictures; all there are where there are not so many.")  # fmt: skip
@threshold_options
@click.option("--reference", type=FOLDER, metavar="DIR", show_default="none",
              help="Pictures, such as a test set's: what hangs together with one is left out.",
)  # fmt: skip
@click.option("--reference-threshold", type=FiniteRange(-1, SAME), metavar="COSINE",
              show_default="the cosine of repetitions",
              help="From which cosine on a picture hangs together with a reference, by hand.",
)  # fmt: skip
@click.option("--seed-images", type=FOLDER, metavar="DIR", show_default="none",
              help="Pictures such as are wanted.")  # fmt: skip
@click.option("--per-seed", type=_COUNT, default=4, show_default=True, metavar="N",
              help="Of each seed picture its so many nearest.")  # fmt: skip
@click.option("--clusters", type=_COUNT, metavar="K", show_default="none",
              help="Instead: of K clusters all that hold enough seed pictures.")  # fmt: skip
@click.option("--more-than", type=click.IntRange(0), default=3, show_default=True, metavar="N",
              help="Enough: more than so many.")  # fmt: skip
@click.option("--filter", "screen", metavar="MODULE:FUNCTION", show_default="none",
              help="Of your own: a picture -> None, or a text that says why it is refused.",
)  # fmt: skip
@click.option("--blur", multiple=True, metavar="CLASS", show_default="none",
              help="Hide this class, such as person, in every picture; several may be named.",
)  # fmt: skip
@click.option("--every", "every_s", type=FiniteRange(0.1), default=10.0, show_default=True,
              metavar="S", help="A longer shot gives a frame for every so many seconds.",
)  # fmt: skip
@click.option("--fps", "rate", type=FiniteRange(0, min_open=True), default=2.0, show_default=True,
              help="Frames per second among which is chosen.")  # fmt: skip
@click.option("--side", type=click.IntRange(16, 2160), default=448, show_default=True,
              metavar="PX", help="Short side of a picture at most.")  # fmt: skip
@click.option("--workers", type=_COUNT, default=1, show_default=True, metavar="N",
              help="Read so many recordings at once; more than one run on Ray.")  # fmt: skip
@click.option("--address", metavar="HOST:PORT|auto|local",
              show_default="RAY_ADDRESS, else local",
              help="Ray cluster whose workers read them.")  # fmt: skip
@click.option("-o", "--out", type=FOLDER, required=True, metavar="DIR",
              help="The data set; the same one again goes on there.")  # fmt: skip
@json_option
@_sight_and_head
def command(
    sources: tuple[str, ...],
    *,
    reference: Path | None,
    seed_images: Path | None,
    screen: str | None,
    workers: int,
    address: str | None,
    out: Path,
    as_json: bool,
    **given: Any,
) -> int:
    """Make a data set of pictures out of the footage of SOURCE, as LVD-142M was made.

    One frame of every shot; those that repeat another one are left out, and those that hang
    together with a reference picture; of the rest what is near to seed pictures, balanced over
    clusters. DIR holds pictures, a manifest that says of each where it is from and why, what was
    left out and why, a report and a contact sheet.
    """
    from pipeline.curate.curate import Asked, Crew, curate
    from pipeline.job import DONE, SOME_FAILED

    seeds = _pictures("--seed-images", seed_images)
    references = _pictures("--reference", reference)
    plans = _plans(sources)
    config = _config(given)
    crew = Crew(workers, address)
    setup = _setup(config, given, crew.workers)
    if given["reference_threshold"] is not None and not references:
        raise click.UsageError("--reference-threshold is of reference pictures: give --reference")
    wish = _wish(config, given, setup, seeded=bool(seeds))
    asked = Asked(setup, wish, seeds, references, screen)
    with countdown("curate") as tell:
        done = curate(plans, asked, out, crew=crew, tell=tell)
    if as_json:
        click.echo(json.dumps({"folder": str(out), **done.report}))
    else:
        click.echo("\n".join(_lines(done, wish, out)))
    for one in done.failed:
        click.echo(f"{one.source}: {one.outcome}, {one.detail}", err=True)
    return SOME_FAILED if done.failed else DONE


def _pictures(option: str, folder: Path | None) -> tuple[Path, ...]:
    """Of a folder; each can be read."""
    from pipeline.configuration.folder import pictures_below
    from pipeline.search.sight import require_readable

    if folder is None:
        return ()
    found = tuple(pictures_below(folder))
    if not found:
        raise UsageError(f"{option} {folder}: no picture there")
    require_readable(found)
    return found


def _plans(sources: tuple[str, ...]) -> list[SourcePlan]:
    from pipeline.configuration.sources import plan_recordings

    plans = plan_recordings(sources)
    kept = next((plan for plan in plans if plan.kept_at is not None), None)
    if kept:
        raise UsageError(f"{kept.url} holds features without pictures; name the footage itself")
    return plans


def _config(given: dict[str, Any]) -> Config:
    """Heads are looked at where a class is hidden alone."""
    heads = configuration_values({"heads": given.pop("heads")}).get("heads", {})
    if strangers := sorted(heads.keys() - {"segmentation"}):
        raise click.UsageError(f"--head {strangers[0]}=: only segmentation has a use here")
    if heads and not given["blur"]:
        raise click.UsageError("--head segmentation= finds what --blur hides: give that too")
    head = ("segmentation", heads["segmentation"]) if heads else None
    return backbone_config(given, head=head)


def _setup(config: Config, given: dict[str, Any], workers: int) -> Setup:
    from operators.backbones.machine import this_machine
    from pipeline.configuration.files import files_of, with_files
    from pipeline.curate.setup import Setup

    # By whole paths: workers stand in another folder.
    config = with_files(config, {one.key: one.path for one in files_of(config) if not one.official})
    shared = max(1, this_machine().cores // workers) if workers > 1 else None
    return Setup(
        *(config.model, config.weights, config.seed, config.threads or shared, config.backend),
        short_side=config.short_side,
        fps=given["rate"],
        every_s=given["every_s"],
        side=given["side"],
        blur=tuple(sorted(set(given["blur"]))),
        heads=dict(config.heads) if given["blur"] else {},
    )


def _wish(config: Config, given: dict[str, Any], setup: Setup, *, seeded: bool) -> Wish:
    from pipeline.curate.wish import Wish

    measured, threshold = chosen_threshold(given["calibrated"], given["threshold"])
    if given["clusters"] and not seeded:
        raise click.UsageError("--clusters are those that hold seeds: give --seed-images too")
    if measured:
        measured.require_model(setup.loaded, source="this footage")
        if measured.short_side != setup.short_side:
            raise UsageError(
                f"the calibration is of frames of short side {measured.short_side}, not "
                f"{setup.short_side}: give --short-side {measured.short_side}"
            )
    wish = Wish(
        given["target"],
        threshold,
        measured,
        per_seed=given["per_seed"],
        clusters=given["clusters"],
        more_than=given["more_than"],
        seed=config.seed,
        reference_threshold=given["reference_threshold"],
    )
    by_hand = {
        "threshold": None if wish.measured else threshold,
        "reference threshold": wish.reference_threshold,
    }
    for name, cosine in by_hand.items():
        if cosine is not None:
            click.echo(
                f"{name} {cosine:g} was given by hand: nobody has measured it; it is applied to "
                f"{wish.compared} cosines",
                err=True,
            )
    return wish


def _lines(done: Curated, wish: Wish, out: Path) -> Iterator[str]:
    from pipeline.curate.folder import SHEET

    funnel = done.funnel
    read = funnel.recordings - funnel.unreadable
    yield f"{read} of {funnel.recordings} recordings, {funnel.shots} shots"
    for step in funnel.steps():
        yield f"{step.count:>8}  {step.what}" + (f" ({step.gone})" if step.gone else "")
    for why, count in funnel.refusals.items():
        yield f"          {count} refused: {why}"
    if funnel.taken < wish.target:
        yield f"the target is {wish.target}, and these are all there are"
    yield f"wrote {out}; look at {out / SHEET} first"
