"""`dinostream fit words`: labels as words -> a head for classify and segmentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from operators.errors import UsageError
from operators.weights.dinotxt import MOST_LOGIT_SCALE, SERVES
from operators.weights.dinov2_files import DINO_TXT_MODEL
from pipeline.cli.dense_options import telling
from pipeline.cli.options import FiniteRange, json_option
from pipeline.cli.vector_options import out_option

if TYPE_CHECKING:
    from pipeline.fit.dense_plan import Fit

_OFFICIAL = "the official file, fetched once"


@click.command(
    "words",
    epilog='Example: dinostream fit words person forklift "empty floor" -o words.safetensors, then '
    "dinostream replay hall.mp4 --model dinov2_vitl14_reg --operator classify "
    "--head classify=words.safetensors",
)
@click.argument("labels", nargs=-1, metavar="[LABEL]...")
@click.option(
    "--labels",
    "labels_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Labels, one a line, in UTF-8.",
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    metavar="TEXT",
    show_default="five that speak of photos",
    help="A sentence with {} where a label goes; several may be named, and are averaged.",
)
@click.option(
    "--logit-scale",
    type=FiniteRange(min=0, min_open=True, max=MOST_LOGIT_SCALE),
    default=round(1 / 0.07, 4),
    show_default=True,
    help="What cosines are multiplied with before the softmax: the larger, the surer.",
)
@click.option(
    "--model", default=DINO_TXT_MODEL, show_default=True, help="Architecture of the backbone."
)
@click.option(
    "--weights",
    metavar="auto|random|PATH",
    default="auto",
    show_default=True,
    help="Of the backbone that the head will run on.",
)
@click.option(
    "--vision-head",
    type=click.Path(path_type=Path),
    metavar="PATH",
    show_default=_OFFICIAL,
    help="dino.txt's ..._vision_head.pth.",
)
@click.option(
    "--text-encoder",
    type=click.Path(path_type=Path),
    metavar="PATH",
    show_default=_OFFICIAL,
    help="dino.txt's ..._text_encoder.pth.",
)
@click.option(
    "--vocabulary",
    type=click.Path(path_type=Path),
    metavar="PATH",
    show_default=_OFFICIAL,
    help="CLIP's bpe_simple_vocab_16e6.txt.gz.",
)
@out_option("words.safetensors")
@json_option
def words(
    *,
    labels: tuple[str, ...],
    labels_file: Path | None,
    templates: tuple[str, ...],
    logit_scale: float,
    model: str,
    weights: str,
    vision_head: Path | None,
    text_encoder: Path | None,
    vocabulary: Path | None,
    out: Path,
    as_json: bool,
) -> int:
    """Make a head whose classes are words; nothing is trained.

    Whoever runs it needs neither the text encoder nor the vocabulary.
    """
    from operators.words.prompts import TEMPLATES
    from pipeline.fit.fit_words import WordsPlan, fit_words
    from pipeline.fit.word_list import read_words

    if bool(labels) == bool(labels_file):
        raise UsageError("give labels, or --labels FILE with one a line")
    named = tuple(label.strip() for label in labels)
    plan = WordsPlan(
        read_words(labels_file) if labels_file else named,
        templates or TEMPLATES,
        logit_scale,
        *(model, weights, vision_head, text_encoder, vocabulary),
    )
    with telling() as tell:
        fit = fit_words(plan, tell=tell)
    return _finish(fit, out, as_json=as_json)


def _finish(fit: Fit, out: Path, *, as_json: bool) -> int:
    """Write the file and say who reads it.

    Raises:
        SinkError: it cannot be written.
    """
    from pipeline.fit.fitting import write_out

    sha256 = write_out(out, fit.operator, fit.tensors, fit.facts)
    if as_json:
        report = {"file": str(out), "sha256": sha256, "notes": list(fit.notes), **fit.facts}
        click.echo(json.dumps(report))
        return 0
    for note in fit.notes:
        click.echo(note)
    heads = " ".join(f"--head {operator}={out}" for operator in SERVES)
    click.echo(f"wrote {out}: use it with --model {fit.facts['model']} {heads}")
    return 0
