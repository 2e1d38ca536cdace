"""What a user wants of a training without labels, and what of it decides the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from operators.pretrain.crops import CropRecipe
from operators.pretrain.gram_anchor import SCALE
from operators.pretrain.learner import HeadShape
from operators.pretrain.recipe import Recipe
from operators.weights.backbone_choice import AUTO, DEMO, RANDOM
from pipeline.pretrain.rules import Rules
from pipeline.synthetic.uri import SCHEME


def is_run(weights: str) -> bool:
    """Whether it is the folder of a training, and none of the words that mean weights."""
    return weights not in (AUTO, DEMO, RANDOM) and Path(weights).is_dir()


@dataclass(frozen=True, slots=True)
class Teacher:
    """What is distilled from.

    Attributes:
        weights: as `--weights` takes them, or the folder of a training that has ended.
        model: its architecture; of a folder its own.
    """

    weights: str
    model: str

    @property
    def is_run(self) -> bool:
        """It is a training's folder, and so has the heads that it was trained with."""
        return is_run(self.weights)


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one training.

    Attributes:
        sources: of pictures.
        rules: which frames of footage.
        model: architecture that is trained.
        weights: what it begins with, as `--weights` takes them, or the folder of another training,
            heads and all; `random`: nothing learnt.
        recipe: how long and how fast.
        shape: of its heads; distilled from a run it has that run's.
        crops: what it sees of a picture.
        layer_scale: what branches of one that has learnt nothing begin with.
        held_out: share of the pictures that nothing is trained on.
        teacher: what it is distilled from.
        judged: folder of labelled pictures, one folder in it per class.
    """

    sources: tuple[str, ...]
    model: str
    recipe: Recipe
    weights: str = RANDOM
    rules: Rules = field(default_factory=Rules)
    shape: HeadShape = field(default_factory=HeadShape)
    crops: CropRecipe = field(default_factory=CropRecipe)
    layer_scale: float = 0.1
    held_out: float = 0.05
    teacher: Teacher | None = None
    judged: Path | None = None

    @property
    def goes_on(self) -> bool:
        """It begins with what has learnt something."""
        return self.weights != RANDOM

    @property
    def rendered(self) -> bool:
        """All its sources are rendered scenes."""
        return all(source.startswith(SCHEME) for source in self.sources)

    @property
    def drawn_crops(self) -> CropRecipe:
        """As they are cut: global ones larger, where an anchor looks at them; no local ones, where
        nobody does."""
        if self.teacher is not None and not self.teacher.is_run:
            return replace(self.crops, local_count=0)
        if self.recipe.gram_weight:
            return replace(self.crops, global_px=SCALE * self.crops.global_px)
        return self.crops

    def with_batch(self, pictures: int) -> Plan:
        """The same with so many pictures in a step, and the rate that goes with them."""
        return replace(self, recipe=replace(self.recipe, batch=pictures))

    def facts(self, identities: Mapping[str, str]) -> dict[str, Any]:
        """All that decides the result, as JSON values.

        Args:
            identities: hashes of corpus, start and teacher.
        """
        return {
            "model": self.model,
            "recipe": asdict(self.recipe),
            "heads": asdict(self.shape),
            "crops": asdict(self.crops),
            "layer_scale": self.layer_scale,
            "held_out": self.held_out,
            "judged": self.judged and str(self.judged),
            **identities,
        }
