"""What a benchmark has to do: a clip, a model, a sampling. The same for every contender.

Frozen values, JSON round trip. Knows nothing of who does the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from operators.backbones.machine import this_machine
from operators.weights.backbone_choice import RANDOM
from pipeline.configuration.config import Config, SamplingConfig, SinkConfig
from pipeline.synthetic.uri import SceneSpec

Runtime = Literal["inline", "ray"]

TOPICS = ("depth", "segmentation", "action", "embedding")  # what every contender has to write


@dataclass(frozen=True, slots=True)
class Workload:
    """One job.

    Attributes:
        name: for reports.
        size_wh: of the clip, pixels.
        seconds: length of the clip.
        scene_seconds: length of the scene, which is repeated; None: as long as the clip.
        fps: sampled frames per second of footage.
        short_side: of a frame in the model, pixels.
        seed: of the scene, of the backbone's weights and of the heads'.
    """

    name: str
    size_wh: tuple[int, int] = (640, 360)
    seconds: float = 18.0
    scene_seconds: float | None = None
    model: str = "dinov2_vits14"
    short_side: int = 224
    fps: float = 5.0
    batch_size: int = 8
    seed: int = 1

    @property
    def scene(self) -> SceneSpec:
        """What the clip shows."""
        seconds = self.scene_seconds or self.seconds
        return SceneSpec(seed=self.seed, seconds=seconds, size_wh=self.size_wh)

    @property
    def threads(self) -> int:
        """CPU threads of the numeric library: every core, for every contender."""
        return this_machine().cores

    def config(self, clip: str, *, database: str, runtime: Runtime) -> Config:
        """The job as `dinostream replay` would be told it.

        Args:
            clip: path of the clip.
            database: path of the SQLite file to write.
            runtime: inline or ray.
        """
        return Config(
            sources=[clip],
            model=self.model,
            weights=RANDOM,
            seed=self.seed,
            sampling=SamplingConfig(fps=self.fps),
            short_side=self.short_side,
            batch_size=self.batch_size,
            threads=self.threads,
            sink=SinkConfig(uri=f"sqlite:{database}"),
            runtime=runtime,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Workload:
        """What `to_json` wrote."""
        width, height = values["size_wh"]
        return cls(**{**values, "size_wh": (width, height)})
