"""A backbone with weights in it, and where they came from; knows nothing of files."""

from __future__ import annotations

from dataclasses import dataclass

from operators.backbones.model import Model
from operators.backbones.swin import SwinTransformer
from operators.backbones.vit import VisionTransformer
from operators.errors import UsageError


@dataclass(frozen=True, slots=True)
class LoadedBackbone:
    """A backbone and where its weights came from.

    Attributes:
        model: float32 on the CPU, frozen, in evaluation mode.
        sha256: of the weights file; of the tensors where there is no file.
        untrained: the weights are random, so results mean nothing.
        source: the file's path, `demo weights`, or `random (seed N)`.
        rendered_only: they have learnt from rendered scenes alone.
    """

    model: Model
    sha256: str
    untrained: bool
    source: str
    rendered_only: bool = False

    @property
    def name(self) -> str:
        """As records name a model: architecture and 12 hex of the sha256."""
        return model_name(self.model.architecture.name, self.sha256)

    def vit(self, what: str) -> VisionTransformer:
        """The model, for what runs no other family.

        Args:
            what: begins the error's text.

        Raises:
            UsageError: another family's.
        """
        if isinstance(self.model, SwinTransformer):
            name = self.model.architecture.name
            raise UsageError(f"{what} takes vision transformers, {name} is a Swin; take a DINOv2")
        return self.model


def model_name(architecture: str, sha256: str) -> str:
    """As records name a model: architecture and 12 hex of its weights' sha256."""
    return f"{architecture}-{sha256[:12]}"
