"""`dinostream eval action` and `eval classify`: a head against labelled footage or pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from pipeline.cli.dense_options import (
    cache_folder,
    scene_options,
    scenes_of,
    telling,
)
from pipeline.cli.eval_report import report, report_options
from pipeline.cli.options import backbone_config, backbone_options

if TYPE_CHECKING:
    from operators.backbones.backbone import Backbone
    from operators.learn.examples import Examples
    from operators.weights.heads import Head
    from pipeline.configuration.config import Config


@click.command(
    "action",
    epilog="Example: dinostream eval action --head action.safetensors --clips held-out/",
)
@click.option("--clips", metavar="DIR", help="A folder with a folder of clips per class.")
@click.option(
    "--labels", type=click.Path(path_type=Path), metavar="CSV", help="file,start,end,label."
)
@scene_options
@backbone_options
@report_options
def action(
    *,
    clips: str | None,
    labels: Path | None,
    head: str,
    out: Path | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Measure an action head: top-1, top-5, mean class accuracy, calibration."""
    from pipeline.fit.evaluate_files import recorded_examples
    from pipeline.fit.scene_clips import scene_examples
    from pipeline.fit.spans import clips_in_folders, spans_of_csv
    from pipeline.media.frame_size import FrameSize

    if sum(one is not None for one in (clips, labels, given["synthetic"])) != 1:
        raise UsageError("give --clips DIR, --labels CSV, or --synthetic SCENE and --seeds A:B")
    cache, config = cache_folder(given["cache"]), backbone_config(given, head=("action", head))
    short_side = config.short_side
    with _opened(config) as (own, backbone), telling("eval") as tell:
        if given["synthetic"]:
            _refuse_tail(own)
            scenes = scenes_of(_one_window(given, own))
            size = FrameSize(short_side, backbone.loaded.model.architecture.patch)
            examples = scene_examples(scenes, backbone, size=size, cache=cache, tell=tell)
        else:
            recordings = spans_of_csv(labels) if labels else clips_in_folders(str(clips))
            examples = recorded_examples(
                recordings, own, backbone, short_side=short_side, cache=cache, tell=tell
            )
    return _measure("action", own, examples, (out, as_json))


@click.command(
    "classify",
    epilog="Example: dinostream eval classify --head classify.safetensors --images held-out/",
)
@click.option("--images", metavar="DIR", required=True, help="A folder of pictures per class.")
@backbone_options
@report_options
def classify(*, images: str, head: str, out: Path | None, as_json: bool, **given: Any) -> int:
    """Measure a classify head: top-1, top-5, mean class accuracy, calibration."""
    from pipeline.fit.evaluate_files import pictured_examples
    from pipeline.fit.pictures import pictures_in_folders

    pictures = pictures_in_folders(images)
    config = backbone_config(given, head=("classify", head))
    with _opened(config) as (own, backbone), telling("eval") as tell:
        examples = pictured_examples(
            pictures,
            own,
            backbone,
            short_side=config.short_side,
            cache=cache_folder(given["cache"]),
            tell=tell,
        )
    return _measure("classify", own, examples, (out, as_json))


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Head, Backbone]]:
    """The head, and the backbone that it must have been trained on."""
    from operators.weights.head_request import HeadRequest
    from operators.weights.heads import trained_head
    from pipeline.features.backbone import configured_backbone

    ((task, choice),) = config.heads.items()
    backbone = configured_backbone(config, blocks=_tail_start(task, choice, config.model))
    try:
        loaded = backbone.loaded
        seed = config.seed if loaded.untrained else None
        request = HeadRequest(task, loaded.model.architecture, loaded.sha256, choice, seed)
        head = trained_head(request)
        _refuse_words(head)
        missing = [key for key in _NEEDED[task] if key not in head.facts]
        if missing:
            raise head.wrong(
                f"its header lacks {', '.join(missing)}; only heads of `dinostream fit` can be "
                "measured"
            )
        yield head, backbone
    finally:
        backbone.close()


def _tail_start(task: str, choice: str, model: str) -> list[int]:
    """The block that a head's own blocks go on from: the backbone must keep it."""
    from operators.backbones.architectures import architecture
    from operators.vector.own_blocks import tail_start
    from operators.weights.head_needs import HeadNeeds, chosen_header

    own = HeadNeeds.of(chosen_header(task, choice) or {}).own_blocks
    return [tail_start(architecture(model), own)] if own else []


def _refuse_words(head: Head) -> None:
    from operators.weights.dinotxt import OPERATOR

    if head.facts.get("operator") == OPERATOR:
        raise head.wrong(
            "its classes are words, which read register tokens, and features that are kept have "
            "none; replay labelled footage and compare what is published"
        )


def _refuse_tail(head: Head) -> None:
    from operators.weights.head_needs import HeadNeeds

    if HeadNeeds.of(head.facts).own_blocks:
        raise head.wrong(
            "it has blocks of its own, and of rendered scenes no tokens are kept to run them on; "
            "measure it with --clips or --labels"
        )


def _one_window(given: dict[str, Any], head: Head) -> dict[str, Any]:
    """Scenes as long as a window of the head, at its rate."""
    fps = head.facts["fps"]
    if fps != round(fps):
        raise head.wrong(f"scenes have whole frames per second, the head wants {fps:g}")
    return {**given, "seconds": head.facts["frames"] / fps, "scene_fps": round(fps), "frames": 1}


def _measure(task: str, head: Head, examples: Examples, report_to: tuple[Path | None, bool]) -> int:
    from pipeline.fit.evaluate_vectors import evaluate_vectors

    measured = evaluate_vectors(task, head.tensors, head.facts, examples, what=head.source)
    out, as_json = report_to
    return report(measured, out, as_json=as_json)


_NEEDED: dict[str, tuple[str, ...]] = {
    "action": ("labels", "vector", "pooling", "fps", "frames", "stride"),
    "classify": ("labels", "vector"),
}
