"""`dinostream fit`: heads for classes of your own, on footage of your own, on frozen features."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.countdown import countdown
from pipeline.cli.dense_options import cache_folder, frame_size, seed_range
from pipeline.cli.options import (
    FiniteRange,
    backbone_config,
    backbone_options,
    fps_option,
    json_option,
)
from pipeline.cli.vector_options import out_option, recipe_of, recipe_options

if TYPE_CHECKING:
    from operators.backbones.backbone import Backbone
    from pipeline.configuration.config import Config
    from pipeline.fit.fitting import FitPlan, FitReport
    from pipeline.fit.spans import Labelled

_ELSEWHERE = {
    "segmentation": "pipeline.cli.fit_dense",
    "depth": "pipeline.cli.fit_dense",
    "detect": "pipeline.cli.fit_detect",
    "anomaly": "pipeline.cli.fit_anomaly",
    "words": "pipeline.cli.fit_words",
    "features": "pipeline.cli.fit_features",
}


class FitGroup(click.Group):
    """Dense heads have a module of their own, loaded when one is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["action", "classify", *_ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(importlib.import_module(_ELSEWHERE[cmd_name]), cmd_name)
        return found


@click.group(
    "fit",
    cls=FitGroup,
    epilog="Example: dinostream fit action --clips clips/ --out action.safetensors",
)
def command() -> None:
    """Train a head for classes of your own; the backbone stays as it is."""


@command.command(
    "action",
    epilog="Example: dinostream fit action --clips clips/ -o action.safetensors, "
    "then dinostream replay footage/ --head action=action.safetensors",
)
@click.option(
    "--clips", metavar="DIR", help="A folder with a folder of clips per class, or a glob."
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="file,start,end,label; time without a label becomes background.",
)
@click.option("--synthetic", metavar="SCENE", help="Rendered scenes, such as world.")
@click.option("--seeds", metavar="A:B", help="Of the scenes: from A, below B.")
@click.option(
    "--seconds",
    type=FiniteRange(0, min_open=True),
    default=8.0,
    show_default=True,
    help="Length of a scene.",
)
@click.option(
    "--from", "sink", metavar="SINK", help="Published embeddings, not files: sqlite:PATH."
)
@fps_option
@click.option(
    "--frames", type=click.IntRange(1, 64), default=8, show_default=True, help="Of a window."
)
@click.option(
    "--stride",
    type=click.IntRange(1),
    show_default="half a window",
    help="Frames between windows.",
)
@recipe_options(poolings=True)
@backbone_options
@out_option("action.safetensors")
@json_option
def action(
    *,
    clips: str | None,
    labels: Path | None,
    sink: str | None,
    out: Path,
    as_json: bool,
    **given: Any,
) -> int:
    """Train an action head: what happens in windows of frames.

    Clips of one class each, long recordings with a list of spans, or rendered scenes.
    """
    from pipeline.fit.fit_action import ActionPlan, fit_action

    chosen = [name for name in (clips, labels, given["synthetic"]) if name is not None]
    if len(chosen) != 1 or (sink and labels is None):
        raise click.UsageError(
            "give --clips DIR, --labels CSV or --synthetic SCENE; with --from it is --labels"
        )
    config = backbone_config(given)
    rate = config.sampling.fps
    assert rate is not None
    recordings = _recordings(clips, labels, given, config, published=sink is not None)
    stride = given["stride"] or max(1, given["frames"] // 2)
    plan = ActionPlan(_plan(given, config, out), rate, given["frames"], stride)
    with _backbone(given, config) as backbone, countdown("fit") as tell:
        if sink is not None:
            from pipeline.fit.published import fit_published

            report = fit_published(sink, recordings, backbone, plan, tell=tell)
        else:
            report = fit_action(recordings, backbone, plan, tell=tell)
    return _finish(report, as_json=as_json)


@command.command(
    "classify",
    epilog="Example: dinostream fit classify --images pictures/ --classifier svm "
    "-o classify.safetensors",
)
@click.option(
    "--images", required=True, metavar="DIR", help="A folder with a folder of pictures per class."
)
@recipe_options(poolings=False)
@backbone_options
@out_option("classify.safetensors")
@json_option
def classify(*, images: str, out: Path, as_json: bool, **given: Any) -> int:
    """Train a head that says what a whole picture, or a frame, shows."""
    from pipeline.fit.fit_classify import fit_classify
    from pipeline.fit.pictures import pictures_in_folders

    pictures = pictures_in_folders(images)
    config = backbone_config(given)
    plan = _plan(given, config, out)
    with _backbone(given, config) as backbone, countdown("fit") as tell:
        report = fit_classify(pictures, backbone, plan, tell=tell)
    return _finish(report, as_json=as_json)


def _recordings(
    clips: str | None,
    labels: Path | None,
    given: dict[str, Any],
    config: Config,
    *,
    published: bool,
) -> list[Labelled]:
    from pipeline.fit.scene_actions import scenes_with_actions
    from pipeline.fit.spans import clips_in_folders, spans_of_csv

    if labels is not None:
        return spans_of_csv(labels, files=not published)
    if clips is not None:
        return clips_in_folders(clips)
    seeds = seed_range(given["seeds"] or "")
    return scenes_with_actions(
        given["synthetic"],
        seeds,
        frame_size(config),
        fps=config.sampling.fps or 0.0,
        seconds=given["seconds"],
    )


def _plan(given: dict[str, Any], config: Config, out: Path) -> FitPlan:
    from pipeline.fit.fitting import FitPlan

    return FitPlan(
        cache_folder(given["cache"]),
        out,
        config.short_side,
        recipe_of(given, config.seed),
        given["grouping"],
        given["finetune"] or 0,
    )


@contextmanager
def _backbone(given: dict[str, Any], config: Config) -> Iterator[Backbone]:
    from operators.backbones.architectures import architecture
    from operators.vector.own_blocks import tail_start
    from pipeline.features.backbone import configured_backbone

    blocks = []
    if given["finetune"]:
        blocks.append(tail_start(architecture(config.model), given["finetune"]))
    backbone = configured_backbone(config, blocks=blocks)
    try:
        yield backbone
    finally:
        backbone.close()


def _finish(report: FitReport, *, as_json: bool) -> int:
    from pipeline.fit.vector_report import report_json, report_lines

    if as_json:
        click.echo(json.dumps(report_json(report), ensure_ascii=False))
    else:
        click.echo("\n".join(report_lines(report)))
    return 0
