"""Grounding DINO (Liu et al. 2023, arXiv 2303.05499): a picture and words -> boxes of those things.

The network and its tokens are transformers'; what goes in and what is made of what comes out is
here. Its backbone is its own: nothing is shared with DINOv2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.detect.boxes import corners
from operators.errors import UsageError, WeightsError
from operators.outside.given import PREPROCESSING, GivenWeights, read_preprocessing
from operators.outside.library import model_of, require_sound, tokenizer_of
from operators.outside.pixels import normalised, resized
from operators.outside.published import GROUNDING_DINO

BOX_THRESHOLD, TEXT_THRESHOLD = 0.35, 0.25  # of its authors' demo
UNKNOWN = "unknown"  # the name of a thing that no word reaches its threshold for
_SIZE = {"shortest_edge": 800, "longest_edge": 1333}  # pixels, as published


@dataclass(frozen=True, slots=True)
class GroundedBox:
    """
    Attributes:
        box: left, top, right, bottom, pixels of the picture, within it.
        name: the words that it is, as the model's tokens spell them.
        score: 0 to 1.
    """

    box: tuple[float, float, float, float]
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for.

    Attributes:
        phrases: one or more, each of a thing: `cat`, `red car`; told in lower case.
        box_threshold: a thing is told whose best word's score is above it, 0 to 1.
        text_threshold: those words are its name whose score is above it, 0 to 1.
    """

    phrases: tuple[str, ...]
    box_threshold: float = BOX_THRESHOLD
    text_threshold: float = TEXT_THRESHOLD

    @classmethod
    def of(cls, texts: Sequence[str], box_threshold: float, text_threshold: float) -> Asked:
        """
        Args:
            texts: phrases, several of one text parted by dots.

        Raises:
            UsageError: there is none, or one is no text.
        """
        parts = [" ".join(part.split()).lower() for text in texts for part in text.split(".")]
        # Of another encoding's bytes a command line makes halves of surrogates.
        odd = next((one for part in parts for one in part if category(one) in ("Cc", "Cs")), None)
        if odd is not None:
            raise UsageError(
                f"--text holds {odd!r}, a control character or a byte of another encoding; give "
                "plain text, in UTF-8"
            )
        phrases = tuple(dict.fromkeys(part for part in parts if part))
        if not phrases:
            raise UsageError("nothing to look for: give --text, such as --text 'red car'")
        return cls(phrases, box_threshold, text_threshold)

    @property
    def text(self) -> str:
        """As the model was trained on it: every phrase ends with a dot."""
        return ". ".join(self.phrases) + "."


class GroundingDino:
    """A whole Grounding DINO, with weights that a user has."""

    def __init__(self, given: GivenWeights) -> None:
        """
        Args:
            given: the folder of its weights and its tokenizer.

        Raises:
            UsageError: transformers is not installed.
            WeightsError: the weights are damaged, or no whole Grounding DINO's; or no tokenizer.
        """
        self.given = given
        self._size = _size(given)
        self._tokens: Any = tokenizer_of(GROUNDING_DINO, given)
        self._model: Any = model_of(GROUNDING_DINO, given)

    @classmethod
    def load(cls, path: Path) -> GroundingDino:
        """Of a folder, or the weights' file in it; errors as of `GivenWeights.of`, and ours."""
        return cls(GivenWeights.of(path, GROUNDING_DINO))

    def identity(self, asked: Asked) -> dict[str, Any]:
        """All that a box depends on beside the picture and the machine, as JSON values."""
        return {
            **self.given.identity(GROUNDING_DINO),
            "text": asked.text,
            "box_threshold": asked.box_threshold,
            "text_threshold": asked.text_threshold,
        }

    def encoded(self, asked: Asked) -> Mapping[str, Tensor]:
        """The words as numbers.

        Raises:
            UsageError: they are too many.
        """
        tokens: Mapping[str, Tensor] = self._tokens(
            asked.text, return_tensors="pt", return_token_type_ids=True
        )
        count, most = tokens["input_ids"].shape[1], self._model.config.max_text_len
        if count > most:
            raise UsageError(
                f"--text is {count} tokens long and the model reads {most}; ask for fewer things "
                "at once"
            )
        return {name: one.to(self._model.device) for name, one in tokens.items()}

    @torch.inference_mode()
    def boxes(self, rgb: NDArray[np.uint8], asked: Asked) -> list[GroundedBox]:
        """The things of a picture, the surest first.

        Args:
            rgb: uint8 `[H, W, 3]`, the picture as displayed.
            asked: what is looked for.

        Raises:
            UsageError: too many words.
            WeightsError: NaN comes out.
        """
        words = self.encoded(asked)
        pixels = normalised(resized(rgb, self._inner((rgb.shape[0], rgb.shape[1]))))
        seen = self._model(pixel_values=pixels.to(self._model.device), **words)
        require_sound(self.given, seen.logits, seen.pred_boxes)
        chances = seen.logits[0].float().sigmoid().cpu()  # [queries, tokens at most]
        scores = chances.max(dim=-1).values
        height, width = rgb.shape[:2]
        shares = corners(seen.pred_boxes[0].float().cpu()).clamp(0, 1)
        pixels_of = shares * torch.tensor([width, height, width, height])
        order = scores.argsort(descending=True, stable=True)
        ids = words["input_ids"][0].cpu()
        return [
            GroundedBox(_box(pixels_of[index]), self._name(chances[index], ids, asked), score)
            for index in order.tolist()
            if (score := float(scores[index])) > asked.box_threshold
        ]

    def _name(self, chances: Tensor, ids: Tensor, asked: Asked) -> str:
        """Those words that are above their threshold, but for what begins and ends the text."""
        above = chances[: len(ids)] > asked.text_threshold
        above[0] = above[-1] = False
        said: str = self._tokens.decode(ids[above])
        return said.strip() or UNKNOWN

    def _inner(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """The short side as asked, unless the long one would be too long; rounded down."""
        height, width = picture_hw
        short, long = min(picture_hw), max(picture_hw)
        side: float = self._size["shortest_edge"]
        if long / short * side > self._size["longest_edge"]:
            side = self._size["longest_edge"] * short / long
        whole = max(1, round(side))
        if whole == short:
            return picture_hw
        if width < height:
            return int(side * height / width), whole
        return whole, int(side * width / height)


def _size(given: GivenWeights) -> Mapping[str, int]:
    """Of the pictures that the model sees, where its folder says another one than the published."""
    path = given.folder / PREPROCESSING
    said = read_preprocessing(given.folder).get("size", _SIZE)
    if not isinstance(said, dict) or set(said) != set(_SIZE):
        raise WeightsError(f"{path}: size must say {' and '.join(_SIZE)}, got {said!r}")
    if not all(isinstance(side, int) and side > 0 for side in said.values()):
        raise WeightsError(f"{path}: sides must be whole pixels above 0, got {said!r}")
    return said


def _box(sides: Tensor) -> tuple[float, float, float, float]:
    left, top, right, bottom = sides.tolist()
    return left, top, right, bottom
