"""Boxes around the masks of an EoMT's queries: each query is at most one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

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
        times the mean one inside the mask, as in their authors' evaluation."""
        seen = self._eomt(features, rows)
        likely, which = seen.classes.softmax(dim=-1)[..., self._things].max(dim=-1)
        chosen = likely.argsort(dim=1, descending=True, stable=True)[:, :_MOST]
        logits = seen.masks(chosen)
        scores = likely.gather(1, chosen) * mean_inside(logits)
        labels = self._things[which.gather(1, chosen)].float()
        found = (boxes_of(logits), scores, labels)
        return (*found, logits > 0) if self._masks else found
