"""What dense operators say of stored pictures: an operator in -> a function of a picture out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from operators.frames import Features, FrameInfo
from operators.learn.dense_pictures import DensePicture

Norm = Callable[[Tensor], Tensor]

_INFO = FrameInfo.of_picture()


class MapOperator(Protocol):
    """An operator that reads some blocks, or only the last one after the final norm."""

    layers: Sequence[int]


def answers(
    operator: MapOperator, read: Callable[[Features, slice], Tensor], norm: Norm
) -> Callable[[DensePicture], Tensor]:
    """What `read` says of a stored picture.

    Args:
        operator: its `layers` are the blocks that the pictures hold, in that order.
        read: such as `Segmentation.scores` or `Depth.metres`, bound.
        norm: the backbone's final norm.
    """

    def answer(picture: DensePicture) -> Tensor:
        return read(features_of(picture, operator, norm), slice(1))[0]

    return answer


def features_of(picture: DensePicture, operator: MapOperator, norm: Norm) -> Features:
    """A stored picture as a batch of one frame.

    Args:
        picture: holds the blocks that the operator reads.
        operator: its `layers` are those blocks, in that order.
        norm: the backbone's final norm.
    """
    patches, cls = picture.patches.float(), picture.cls.float()
    layers = {
        block: (patches[row][None], cls[row][None]) for row, block in enumerate(operator.layers)
    }
    return Features((_INFO,), cls[-1:], patches[-1:], layers, norm)
