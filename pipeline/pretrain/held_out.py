"""Pictures that nothing is trained on, and what two backbones make of them."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from operators.errors import UsageError
from operators.pretrain.crops import draw_crops
from operators.pretrain.packed import PackedTransformer
from pipeline.fit.pictures import LabelledPicture, pictures_in_folders
from pipeline.media.still import read_upright
from pipeline.pretrain.corpus import Corpus
from pipeline.pretrain.gather import Tell
from pipeline.pretrain.judging import (
    FEWEST_PICTURES,
    Rights,
    Verdict,
    class_tokens,
    right_by_crops,
    right_by_neighbours,
    tiny_pixels,
    verdict,
)
from pipeline.pretrain.plan import Plan

log = logging.getLogger(__name__)

WHOLE_STREAMS = 20  # with so many, whole streams are held out; with fewer, pictures of all
MOST, MOST_LABELLED = 500, 2000  # pictures that judge: held out, and with labels

Look = Callable[[Tensor], Tensor]
"""Pictures, uint8 `[n, 3, H, W]` -> vectors of length 1, `[n, D]`."""


def apart(corpus: Corpus, share: float) -> tuple[Corpus, Corpus]:
    """The pictures to train on, and those that are held out.

    Which ones are, their own bytes decide, or the names of their streams: others that come or go
    do not change it.

    Args:
        corpus: all pictures.
        share: that is held out, about; two pictures at least.

    Raises:
        UsageError: so few pictures that none would be left.
    """
    wanted = max(2, round(share * len(corpus)))
    chosen = _streams(corpus, wanted) or _pictures(corpus, wanted)
    held_out = [number for number in range(len(corpus)) if number in chosen]
    own = [number for number in range(len(corpus)) if number not in chosen]
    if len(own) < 2:
        raise UsageError(
            f"{len(corpus)} pictures are too few: two to train on and two to judge by are the "
            "least; --keep-copies leaves in what repeats another one, --every takes more of long "
            "shots"
        )
    return corpus.part(own), corpus.part(held_out)


def _streams(corpus: Corpus, wanted: int) -> set[int]:
    """Numbers of the pictures of whole streams, about so many; none where streams do not go up."""
    of: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(corpus.pictures):
        of[one.stream].append(number)
    if len(of) < WHOLE_STREAMS:
        return set()
    chosen: set[int] = set()
    for name in sorted(of, key=_rank):
        # One that is much larger than what is wanted would leave little to train on.
        if len(chosen) < wanted and len(chosen) + len(of[name]) <= 1.5 * wanted:
            chosen |= set(of[name])
    return chosen if len(chosen) >= wanted / 2 else set()


def _pictures(corpus: Corpus, wanted: int) -> set[int]:
    numbers = sorted(range(len(corpus)), key=lambda one: _rank(corpus.pictures[one].sha256))
    return set(numbers[:wanted])


def _rank(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class HeldOut:
    """What two backbones are judged by; read before a training, so that nothing fails behind it."""

    def __init__(self, corpus: Corpus, plan: Plan) -> None:
        """
        Args:
            corpus: pictures that are held out; `MOST` of them are looked at.
            plan: of the training: its crops, and the folder of labelled pictures.

        Raises:
            SourceError: a picture cannot be read; names it.
            UsageError: a folder without labelled pictures.
        """
        self._side = plan.crops.global_px
        chosen = sorted(_pictures(corpus, MOST))
        crops = [_crops(corpus, number, plan) for number in chosen]
        self._crops = torch.stack(crops, dim=1)
        self._streams = [corpus.pictures[number].stream for number in chosen]
        self._labelled = _drawn(plan.judged) if plan.judged else []
        self._folder, self._squares = plan.judged, [self._square(one) for one in self._labelled]

    def warn_if_few(self, plan: Plan) -> None:
        """Say it before a training that can never be kept."""
        judged = len(self._labelled) or len(self._streams)
        if plan.goes_on and judged < FEWEST_PICTURES:
            log.warning(
                "%d pictures to judge by cannot tell whether a training is better, and what goes "
                "on from weights is kept only if it is: give %d, by a larger --held-out, more "
                "footage or --judge",
                judged,
                FEWEST_PICTURES,
            )

    def verdicts(
        self, before: PackedTransformer, after: PackedTransformer, tell: Tell
    ) -> tuple[Verdict, ...]:
        """By crops of held-out pictures; by labelled ones, where there are any, the last.

        Args:
            before, after: the backbones.
            tell: hears how far it is.
        """
        tell(0.0, "judging")
        found = [self._by_crops(before, after)]
        tell(0.5, "judging")
        if self._labelled:
            found.append(self._by_labels(before, after))
        return tuple(found)

    def _by_crops(self, before: PackedTransformer, after: PackedTransformer) -> Verdict:
        def rights(of: Look) -> Rights:
            return right_by_crops(*(of(one) for one in self._crops))

        return _compared("two crops of each picture", rights, before, after, self._streams)

    def _by_labels(self, before: PackedTransformer, after: PackedTransformer) -> Verdict:
        names = sorted({one.label for one in self._labelled})
        classes = np.array([names.index(one.label) for one in self._labelled], np.int64)
        pixels = torch.stack(self._squares)

        def rights(of: Look) -> Rights:
            return right_by_neighbours(of(pixels), classes)

        groups = [str(one.path) for one in self._labelled]
        return _compared(f"neighbours in {self._folder}", rights, before, after, groups)

    def _square(self, one: LabelledPicture) -> Tensor:
        """The middle of a picture, uint8 `[3, H, W]`."""
        picture = ImageOps.fit(
            Image.fromarray(read_upright(one.path)),
            (self._side, self._side),
            Image.Resampling.BICUBIC,
        )
        return torch.from_numpy(np.array(picture)).movedim(-1, 0)


def _drawn(folder: Path) -> list[LabelledPicture]:
    """At most `MOST_LABELLED` of them, whichever their paths decide."""
    found = pictures_in_folders(str(folder))
    chosen = sorted(found, key=lambda one: _rank(str(one.path.relative_to(folder))))
    return sorted(chosen[:MOST_LABELLED], key=lambda one: one.path)


def _crops(corpus: Corpus, number: int, plan: Plan) -> Tensor:
    """The two global ones of a picture, uint8 `[2, 3, H, W]`: the same for every backbone."""
    draw = torch.Generator().manual_seed(int(corpus.pictures[number].sha256[:8], 16))
    return draw_crops(torch.from_numpy(corpus.picture(number)), plan.crops, draw).globals


def _compared(
    what: str,
    rights: Callable[[Look], Rights],
    before: PackedTransformer,
    after: PackedTransformer,
    groups: Sequence[str],
) -> Verdict:
    """Pixels, then both backbones, by the same rule."""
    was, now = (rights(partial(class_tokens, one)) for one in (before, after))
    return verdict(what, rights(tiny_pixels), was, now, groups)
