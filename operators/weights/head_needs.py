"""What a head says that whoever runs or measures it must give it: rate, windows, size, classes.

A head's header in -> typed values out; what it does not say, or says as something else, is unknown.
Importable without torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from operators.weights.backbone_choice import DEMO
from operators.weights.header import SHIPPED, read_header

TAIL_BLOCKS = "tail_blocks"  # in a header: how many last blocks are the head's own
RENDERED = "rendered"  # in a header: true where it has learnt from rendered scenes alone


@dataclass(frozen=True, slots=True)
class HeadNeeds:
    """What a head was trained at, None where its header does not say it.

    Attributes:
        fps: sampled frames per second.
        frames: T, of a window.
        stride: frames from one window's start to the next one's.
        short_side: of a frame, pixels.
        filter: that frames were scaled by.
        own_blocks: how many last blocks of the backbone it has of its own, 0: none.
        classes: their names, in the order of their ids.
        backbone: sha256 of the weights that it reads.
        model: their architecture.
        rendered_only: it has learnt from rendered scenes alone.
    """

    fps: float | None = None
    frames: int | None = None
    stride: int | None = None
    short_side: int | None = None
    filter: str | None = None
    own_blocks: int = 0
    classes: tuple[str, ...] = ()
    backbone: str | None = None
    model: str | None = None
    rendered_only: bool = False

    @classmethod
    def of(cls, header: Mapping[str, Any]) -> Self:
        """Read a header as docs/heads.md describes it."""
        return cls(
            fps=_number(header.get("fps")),
            frames=_whole(header.get("frames")),
            stride=_whole(header.get("stride")),
            short_side=_whole(header.get("short_side")),
            filter=_text(header.get("filter")),
            own_blocks=_whole(header.get(TAIL_BLOCKS)) or 0,
            classes=_names(header.get("labels")),
            backbone=_text(header.get("backbone")),
            model=_text(header.get("model")),
            rendered_only=header.get(RENDERED) is True,
        )


def head_choice(operator: str, heads: Mapping[str, str], weights: str) -> str | None:
    """The head that an operator gets: the one chosen for it, else the one that came with the
    weights; None where there is neither.

    Args:
        operator: whose head.
        heads: what the user chose, by operator.
        weights: as `--weights` takes them.

    Raises:
        WeightsError: the file of the weights that ship cannot be read.
    """
    shipped = weights == DEMO and chosen_header(operator, DEMO) is not None
    return heads.get(operator, DEMO if shipped else None)


def chosen_header(operator: str, choice: str | None) -> Mapping[str, Any] | None:
    """The header of an operator's head; None where it has none or is no file.

    Args:
        operator: whose head.
        choice: a path, `demo`, an official name, `random`, or None where it gets none.

    Raises:
        WeightsError: its header cannot be read.
    """
    if choice == DEMO:
        header = read_header(SHIPPED) if SHIPPED.is_file() else None
        heads: Mapping[str, Any] = (header or {}).get("heads", {})
        return heads.get(operator)
    path = Path(choice or "").expanduser()
    return read_header(path) if path.is_file() else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _names(labels: object) -> tuple[str, ...]:
    """Of labels as vector heads list them, names, or as heads of maps do, `{id, name, rgb}`."""
    if not isinstance(labels, Sequence) or isinstance(labels, str):
        return ()
    return tuple(str(one.get("name") if isinstance(one, Mapping) else one) for one in labels)
