"""What a backbone is worth on pictures of one's own: classes, told by the protocols of papers.

Labelled pictures to learn from and others to measure on -> evaluations out, of a linear head by
DINOv2's sweep and of the nearest neighbours. Knows no command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from operators.backbones.backbone import Backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.errors import UsageError
from operators.learn.examples import Examples
from operators.learn.splits import Parts
from operators.learn.vector_fit import Recipe, fit_vector_head
from pipeline.features.store import FeatureStore
from pipeline.fit.compare import Heads, Measured, measured_of, named
from pipeline.fit.contender import Contender
from pipeline.fit.dense_plan import Fit, Tell
from pipeline.fit.evaluate_files import by_share
from pipeline.fit.evaluate_vectors import evaluate_vectors
from pipeline.fit.fit_classify import picture_examples, picture_parts
from pipeline.fit.fitting import data_sha256, vector_facts
from pipeline.fit.pictures import LabelledPicture
from pipeline.fit.provenance import provenance_facts
from pipeline.media.fingerprint import file_session

_VALIDATION = 0.2  # of what is learnt from


@dataclass(frozen=True, slots=True)
class PictureTrial:
    """What contenders are compared by.

    Attributes:
        train: pictures that heads are trained on.
        held_out: pictures that they are measured on.
        short_side: of a picture, pixels.
        cache: folder of computed features.
        seed: of all that is drawn.
    """

    train: Sequence[LabelledPicture]
    held_out: Sequence[LabelledPicture]
    short_side: int
    cache: Path
    seed: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(dict.fromkeys(one.label for one in self.train))

    def __post_init__(self) -> None:
        strange = sorted({one.label for one in self.held_out} - set(self.labels))
        if strange:
            raise UsageError(
                f"pictures to measure on are of {', '.join(strange)}; what is learnt from has "
                f"{', '.join(self.labels)}"
            )


def measure_pictures(trial: PictureTrial, contender: Contender, *, tell: Tell) -> Measured:
    """Train heads on one backbone and measure them.

    Args:
        trial: what is compared by.
        contender: whose backbone.
        tell: told how far it is.

    Raises:
        UsageError: the contender cannot be had, or a class has too few pictures.
        SourceError: files that cannot be read; names all of them.
    """
    tell = named(contender.title, tell)
    with closing(contender.open(blocks=1)) as backbone:
        train = _examples(trial.train, trial, backbone, tell)
        held_out = _examples(trial.held_out, trial, backbone, tell)
    stay_on_one_core()
    parts = _parts(train, trial.seed)
    contents = [(group, one.label) for group, one in zip(train.groups, trial.train, strict=True)]
    data = {"data": data_sha256(contents), **provenance_facts(train.groups, rendered=False)}
    heads: Heads = {}
    for name, recipe in _RECIPES.items():
        tell(f"training {name}", 0, 0)
        fitted = fit_vector_head(train, parts, replace(recipe, seed=trial.seed))
        assert fitted.tensors is not None
        own = vector_facts(fitted, train, backbone, short_side=trial.short_side, kind="pictures")
        what = own["trained"]["chosen"]
        evaluation = evaluate_vectors("classify", fitted.tensors, own | data, held_out, what=what)
        heads[name] = evaluation, Fit("classify", fitted.tensors, own | data)
    return measured_of(contender, backbone, heads)


def _examples(
    pictures: Sequence[LabelledPicture], trial: PictureTrial, backbone: Backbone, tell: Tell
) -> Examples:
    paths = [one.path for one in pictures]
    with closing(FeatureStore(trial.cache, backbone, short_side=trial.short_side)) as store:
        parts = picture_parts(paths, store, tell=by_share(tell))
    groups = [file_session(str(path)) for path in paths]
    return picture_examples(pictures, parts, groups, trial.labels)


def _parts(examples: Examples, seed: int) -> Parts:
    """A fifth of what is learnt from validates; copies of a picture stay together."""
    rows = np.arange(len(examples.rows))
    firsts = np.unique(np.asarray(examples.groups), return_index=True)[1]
    try:
        _, aside = train_test_split(
            firsts, test_size=_VALIDATION, stratify=examples.targets[firsts], random_state=seed
        )
    except ValueError as error:
        raise UsageError(
            f"{len(firsts)} pictures are too few to learn {len(examples.labels)} classes from: "
            f"{error}"
        ) from error
    apart = {examples.groups[row] for row in aside}
    judges = np.array([group in apart for group in examples.groups])
    return Parts(rows[~judges], rows[judges], rows[:0])


_RECIPES = {
    "classify": Recipe("linear", ("mean",)),
    "classify, nearest neighbours": Recipe("knn", ("mean",)),
}
