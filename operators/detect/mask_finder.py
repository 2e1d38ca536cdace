"""Boxes around the masks of an EoMT's queries: each query is at most one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from operators.depth.dpt_rows import slice_rows
from operators.detect.eomt import Eomt
from operators.detect.finder import Guesses
from operators.detect.mask_boxes import boxes_of, mean_inside
from operators.frames import Features

_MOST = 100  # things of a frame, as its authors' evaluation counts them


class MaskFinder:
    """Implements `operators.detect.finder.Finder`."""

    def __init__(self, eomt: Eomt, things: Sequence[int], *, masks: bool) -> None:
        """
        Args:
            eomt: whose queries are asked.
            things: class ids that are things; what fills the rest of a picture is none.
            masks: they are given beside the boxes.
        """
        self._eomt = eomt
        self._things = torch.tensor(list(things))
        self._masks = masks
        self.layers = eomt.layers

    def settings(self) -> Mapping[str, Any]:
        return {"masks": self._masks}

    def load(self, device: torch.device) -> None:
        self._eomt.load(device)
        self._things = self._things.to(device)

    @torch.inference_mode()
    def __call__(self, features: Features, rows: slice) -> Guesses:
        """Of the queries that are most surely a thing. Their score is the probability of the class
        times the mean one inside the mask, as in their authors' evaluation.

        Enlarged patches of a whole batch would take tens of gigabytes of a GPU, so that rows go
        through as in `operators.depth.dpt_rows.decoded`, some at a time and always as many.
        """
        frames = range(len(features.infos))[rows]
        batch, *grid = features.patches.shape[:3]
        size = 1 if features.on_host else slice_rows(batch, self._eomt.row_bytes(grid))
        found = []
        for begin in range(frames.start, frames.stop, size):
            first = min(begin, batch - size)
            guesses = self._guesses(features, slice(first, first + size))
            found.append([one[begin - first :] for one in guesses])
        return tuple(torch.cat(parts)[: len(frames)] for parts in zip(*found, strict=True))

    def _guesses(self, features: Features, rows: slice) -> Guesses:
        seen = self._eomt(features, rows)
        likely, which = seen.classes.softmax(dim=-1)[..., self._things].max(dim=-1)
        chosen = likely.argsort(dim=1, descending=True, stable=True)[:, :_MOST]
        logits = seen.masks(chosen)
        scores = likely.gather(1, chosen) * mean_inside(logits)
        labels = self._things[which.gather(1, chosen)].float()
        found = (boxes_of(logits), scores, labels)
        return (*found, logits > 0) if self._masks else found
