"""Pictures that nothing is trained on, and what two backbones make of them."""

from __future__ import annotations

import hashlib
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
from pipeline.fit.pictures import pictures_in_folders
from pipeline.media.still import read_upright
from pipeline.pretrain.corpus import Corpus
from pipeline.pretrain.judging import (
    Rights,
    Verdict,
    class_tokens,
    right_by_crops,
    right_by_neighbours,
    tiny_pixels,
    verdict,
)
from pipeline.pretrain.plan import Plan

WHOLE_STREAMS = 20  # with so many, whole streams are held out; with fewer, pictures of all
MOST = 1000  # pictures that are judged by

Tell = Callable[[float | None, str], None]
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
    streams = {one.stream for one in corpus.pictures}
    whole = len(streams) >= WHOLE_STREAMS
    keys = [one.stream if whole else one.sha256 for one in corpus.pictures]
    ranks = sorted(set(keys), key=lambda key: hashlib.sha256(key.encode()).digest())
    chosen, count = set[str](), 0
    for key in ranks:
        if count >= max(2, share * len(keys)):
            break
        chosen.add(key)
        count += keys.count(key)
    held_out = [number for number, key in enumerate(keys) if key in chosen]
    own = [number for number, key in enumerate(keys) if key not in chosen]
    if len(own) < 2:
        raise UsageError(
            f"{len(keys)} pictures are too few: two to train on and two to judge by are the least; "
            "--keep-copies leaves in what repeats another one, --every takes more of long shots"
        )
    return corpus.part(own), corpus.part(held_out)


class HeldOut:
    """What two backbones are judged by."""

    def __init__(self, corpus: Corpus, plan: Plan) -> None:
        """
        Args:
            corpus: pictures that are held out; the first `MOST` are looked at.
            plan: of the training: its crops, and the folder of labelled pictures.
        """
        self._corpus, self._plan = corpus, plan

    def verdicts(
        self, before: PackedTransformer, after: PackedTransformer, tell: Tell
    ) -> tuple[Verdict, ...]:
        """By crops of held-out pictures; by labelled ones, where there are any, the last.

        Args:
            before, after: the backbones.
            tell: hears how far it is.

        Raises:
            SourceError: a picture cannot be read; names it.
        """
        tell(0.0, "judging")
        found = [self._by_crops(before, after)]
        tell(0.5, "judging")
        if self._plan.judged is not None:
            found.append(self._by_labels(self._plan.judged, before, after))
        return tuple(found)

    def _by_crops(self, before: PackedTransformer, after: PackedTransformer) -> Verdict:
        count = min(MOST, len(self._corpus))
        crops = torch.stack([self._crops(number) for number in range(count)], dim=1)
        groups = [one.stream for one in self._corpus.pictures[:count]]
        if len(set(groups)) == 1:  # of one folder or stream: each picture by itself
            groups = [one.sha256 for one in self._corpus.pictures[:count]]

        def rights(of: Look) -> Rights:
            return right_by_crops(*(of(one) for one in crops))

        return _compared("two crops of each picture", rights, before, after, groups)

    def _by_labels(
        self, folder: Path, before: PackedTransformer, after: PackedTransformer
    ) -> Verdict:
        pictures = pictures_in_folders(str(folder))
        names = sorted({one.label for one in pictures})
        classes = np.array([names.index(one.label) for one in pictures], np.int64)
        pixels = torch.stack([self._square(one.path) for one in pictures])

        def rights(of: Look) -> Rights:
            return right_by_neighbours(of(pixels), classes)

        groups = [str(one.path) for one in pictures]
        return _compared(f"neighbours in {folder}", rights, before, after, groups)

    def _crops(self, number: int) -> Tensor:
        """The two global ones of a picture, uint8 `[2, 3, H, W]`: the same for every backbone."""
        own = self._corpus.pictures[number].sha256
        draw = torch.Generator().manual_seed(int(own[:15], 16))
        picture = torch.from_numpy(self._corpus.picture(number))
        return draw_crops(picture, self._plan.crops, draw).globals

    def _square(self, path: Path) -> Tensor:
        """The middle of a picture, uint8 `[3, H, W]`."""
        side = self._plan.crops.global_px
        picture = ImageOps.fit(
            Image.fromarray(read_upright(path)), (side, side), Image.Resampling.BICUBIC
        )
        return torch.from_numpy(np.array(picture)).movedim(-1, 0)


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
