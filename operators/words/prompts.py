"""Words in sentences, and sentences as vectors: labels and templates in -> a vector of each label.

One vector of a label is the mean over its sentences, each of length one before and all together
after, as CLIP's and dino.txt's authors do it for zero-shot classes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from operators.errors import UsageError
from operators.words.text_tower import TextTower
from operators.words.tokeniser import END, START, Tokeniser, cleaned

PLACE = "{}"  # in a template, where the label goes
TEMPLATES = (
    "a photo of a {}.",
    "a photo of the {}.",
    "a photo of many {}.",
    "a low resolution photo of a {}.",
    "a blurry photo of the {}.",
)
"""Of the eighty that CLIP's authors averaged for ImageNet those that speak of photos as cameras
make them."""

_AT_ONCE = 64  # sentences
_LONGEST = 400  # characters of a label or a template: 77 pieces are fewer


def check_labels(labels: Sequence[str]) -> None:
    """Hold labels to what can be told apart.

    Raises:
        UsageError: none, an empty one, two that the tower reads alike, or one that is no text.
    """
    if not labels:
        raise UsageError("no labels; give words, or --labels FILE with one a line")
    seen: dict[str, str] = {}
    for label in labels:
        _check_text("label", label)
        read = cleaned(label)
        if not read:
            raise UsageError(f"label {label!r} is empty")
        if read in seen:
            raise UsageError(
                f"labels {seen[read]!r} and {label!r} are the same to the text tower; leave one out"
            )
        seen[read] = label


def check_templates(templates: Sequence[str]) -> None:
    """
    Raises:
        UsageError: none, or one that does not hold `{}` exactly once.
    """
    if not templates:
        raise UsageError("no templates; leave them out for the usual ones")
    for template in templates:
        _check_text("template", template)
        if template.count(PLACE) != 1:
            raise UsageError(f"template {template!r} must hold {PLACE} once, where a label goes")


@torch.inference_mode()
def text_vectors(
    labels: Sequence[str],
    templates: Sequence[str],
    tokeniser: Tokeniser,
    tower: TextTower,
    *,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """A vector of length one for each label, float32 `[C, told]`.

    Args:
        labels: as of `check_labels`.
        templates: as of `check_templates`.
        tokeniser: of the tower's vocabulary.
        tower: on the CPU.
        tell: hears how many sentences are done, and of how many.

    Raises:
        UsageError: a sentence has more pieces than the tower reads.
    """
    sentences = [template.replace(PLACE, label) for label in labels for template in templates]
    pieces = [_pieces(sentence, tokeniser, tower.shape.context) for sentence in sentences]
    vectors = []
    for begin in range(0, len(pieces), _AT_ONCE):
        vectors.append(tower(_padded(pieces[begin : begin + _AT_ONCE])))
        tell(min(begin + _AT_ONCE, len(pieces)), len(pieces))
    each = F.normalize(torch.cat(vectors), dim=1).view(len(labels), len(templates), -1)
    return F.normalize(each.mean(dim=1), dim=1)


def _check_text(what: str, text: str) -> None:
    if len(text) > _LONGEST:
        raise UsageError(f"{what} {text[:40]!r}... has {len(text)} characters, at most {_LONGEST}")
    # Of another encoding's bytes a command line makes halves of surrogates.
    odd = next((one for one in text if unicodedata.category(one) in ("Cc", "Cs")), None)
    if odd is not None:
        raise UsageError(
            f"{what} {text!r} holds {odd!r}, a control character or a byte of another encoding; "
            "give plain text, in UTF-8"
        )
    reserved = next((mark for mark in (START, END) if mark in cleaned(text)), None)
    if reserved is not None:
        raise UsageError(f"{what} {text!r} holds {reserved}, which the text tower reads as its own")


def _pieces(sentence: str, tokeniser: Tokeniser, most: int) -> list[int]:
    """Upstream cuts what is longer; then another text than the given one would be looked for."""
    pieces = tokeniser(sentence)
    if len(pieces) > most:
        raise UsageError(
            f"{sentence[:60]!r} has {len(pieces)} pieces, the text tower reads {most}; shorten the "
            "label or the template"
        )
    return pieces


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """`[T, N]`, int64, zero behind the end of each text."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
