"""A rendered clip: a SceneSpec in, its frames with depth and masks, bodies, labels and action out.

A frame is a pure function of the spec and its index: any order, any process, the same bytes.
"""

from __future__ import annotations

from operators.segmentation.labelsets import LabelSet

from .camera import Camera
from .instances import Instances, instances_of
from .labels import labels_of
from .motion import Moment
from .renderer import SceneFrame, render_frame, trace_instances
from .stages import staged
from .uri import SceneSpec


class Scene:
    """An open clip: textures are drawn, frames are rendered when asked for."""

    __slots__ = ("_clip", "spec")

    def __init__(self, spec: SceneSpec) -> None:
        self.spec = spec
        self._clip = staged(spec)

    @property
    def frame_count(self) -> int:
        """How many frames there are; frame k is seen at k / fps seconds."""
        return self.spec.frame_count

    @property
    def labels(self) -> LabelSet:
        """The classes of the masks."""
        return labels_of(self.spec.scene)

    @property
    def action(self) -> str:
        """What happens in the whole clip, one of `action.ACTIONS`."""
        return self._clip.action_name

    def render(self, index: int) -> SceneFrame:
        """Return one frame.

        Args:
            index: 0 .. frame_count - 1, in any order.

        Raises:
            IndexError: no such frame.
        """
        moment = self._moment(index)
        camera = self._camera(moment)
        return render_frame(self._clip.world(moment, camera), camera)

    def instances(self, index: int) -> Instances:
        """Return the countable bodies in one frame, pixel for pixel what `render` shows.

        Args:
            index: 0 .. frame_count - 1, in any order.

        Raises:
            IndexError: no such frame.
        """
        moment = self._moment(index)
        camera = self._camera(moment)
        mask, depth_m = trace_instances(self._clip.world(moment, camera), camera)
        return instances_of(mask, depth_m, self._clip.standing(moment))

    def camera(self, index: int) -> Camera:
        """Return where one frame is seen from. Raises IndexError: no such frame."""
        return self._camera(self._moment(index))

    def _moment(self, index: int) -> Moment:
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} of a clip of {self.frame_count} frames")
        return Moment(index / self.spec.fps, index / max(self.frame_count - 1, 1))

    def _camera(self, moment: Moment) -> Camera:
        width, height = self.spec.size_wh
        return self._clip.camera(moment, (height, width))


def open_scene(spec: SceneSpec) -> Scene:
    """Return the clip that `spec` describes; draws its textures, which takes a moment."""
    return Scene(spec)
