"""What stays the same from frame to frame: detections in -> tracks with ids out, and what they do
at the lines and zones that somebody drew.

Detections and their looks are of the same pass. The rules are told in docs/track.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray

from operators.batch_operator import BatchOperator
from operators.detect.operator import Detect
from operators.errors import Absent
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.operator import Operator, StreamOperator
from operators.result import Result
from operators.settings import Settings
from operators.track.crossings import Crossing, counted, crossed
from operators.track.ground import ANCHORS, Ground
from operators.track.looks import looks
from operators.track.memory import Memory
from operators.track.saying import Saying
from operators.track.scene import Scene
from operators.track.sightings import Sightings
from operators.track.track import Moment, Track
from operators.track.tracker import Rules
from operators.track.visits import LOST, cut_short, visited
from operators.weights.head_request import HeadRequest

if TYPE_CHECKING:
    from operators.batch_operator import Numbers
    from operators.places.places import Places

MOST_SIGHTINGS = 100
SHORTEST_LOST_S, LONGEST_LOST_S = 0.1, 3600.0


class Tracking(BatchOperator, StreamOperator):
    """Tracks of every frame, crossings of lines and visits to zones."""

    name = "track"
    topics = BUILT_IN["track"]
    placed = True

    def __init__(self, rules: Rules, anchor: str, detect: Detect | None = None) -> None:
        """
        Args:
            rules: when tracks begin and end.
            anchor: the point of a box at which a thing stands, one of `ground.ANCHORS`.
            detect: what is tracked. Without it there is nothing to track.
        """
        self._rules = rules
        self._anchor = anchor
        self._detect = detect
        self._memory: dict[str, Memory] = {}
        self._places: dict[str, Places] = {}
        if detect:  # the value depends on it as on a head of one's own
            self._saying = Saying(detect.labels)
            self.layers = detect.layers
            self.untrained = detect.untrained
            self.rendered_only = detect.rendered_only
            self.head_sha256 = detect.head_sha256

    def beside(self, operators: Mapping[str, Operator]) -> Tracking:
        """The same, of the detections of a job.

        Raises:
            Absent: nothing is detected in it.
        """
        detect = operators.get(Detect.name)
        if not isinstance(detect, Detect):
            need = "operators.track: what it tracks is found by"
            raise Absent(need, Detect.name, leave="track")
        return Tracking(self._rules, self._anchor, detect)

    def place(self, stream: str, places: Places | None) -> None:
        """Have lines and zones over a stream's picture."""
        self._places.pop(stream, None)
        if places:
            self._places[stream] = places

    def settings(self) -> Mapping[str, Any]:
        own = asdict(self._rules) | {"anchor": self._anchor}
        if not self._detect:
            return own
        return own | {"detect": {**self._detect.settings(), "version": self._detect.version}}

    def label_sets(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return self._found_by.label_sets()

    def compute(self, features: Features, rows: slice) -> Numbers:
        boxes, scores, labels, *_ = self._found_by.shared(features, rows)  # masks, maybe
        assert isinstance(boxes, torch.Tensor)
        return boxes, scores, labels, looks(boxes, features.patches[rows])

    def say_all(
        self, infos: Sequence[FrameInfo], numbers: Sequence[Sequence[NDArray[Any]]]
    ) -> list[Result]:
        told = zip(infos, numbers, strict=True)
        seen = [self._sightings(info, *row) for info, row in told]  # before any is remembered
        scenes = [Scene.of(self._places.get(info.stream), info.source_hw) for info in infos]
        steps = zip(infos, seen, scenes, strict=True)
        return [result for step in steps for result in self._step(*step)]

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        return self.say_all([info], [numbers])

    def repeat(self, info: FrameInfo) -> list[Result]:
        """What was seen is seen again. The tracks of the frame before hold, unless another one has
        an id by now; of who is given up there are records as ever."""
        memory = self._memory.get(info.stream)
        if memory is None or memory.last is None:
            return []
        scene = Scene.of(self._places.get(info.stream), info.source_hw)
        next_id = memory.tracker.next_id
        given_up = memory.tracker.repeat(Moment.of(info), Moment.of(memory.last))
        happened = self._happened(info, memory, given_up, scene)
        if memory.tracker.next_id == next_id:
            return happened
        return [self._saying.tracks(info, memory.tracker.tracks), *happened]

    def reset(self, stream: str, reason: str) -> list[Result]:
        memory = self._memory.pop(stream, None)
        if memory is None:
            return []
        if reason not in ("session", "end"):
            self._memory[stream] = memory.after_break(self._rules)
        return self._saying.visits(memory.last, memory.visits()) if memory.last else []

    def snapshot(self, stream: str) -> bytes:
        return (self._memory.get(stream) or Memory.empty(self._rules)).snapshot()

    def restore(self, stream: str, state: bytes) -> None:
        self._memory[stream] = Memory.restored(state, self._rules)

    @property
    def _found_by(self) -> Detect:
        if not self._detect:
            raise ValueError("nothing detects, so there is nothing to track")
        return self._detect

    def _sightings(self, info: FrameInfo, *numbers: NDArray[Any]) -> Sightings:
        *found, vectors = numbers
        things = self._found_by.detections(info, *found)
        own = vectors[found[1] > 0]
        require_finite(own, info, operator=self.name)
        return Sightings(things.boxes, things.scores, things.labels, own)

    def _step(self, info: FrameInfo, sightings: Sightings, scene: Scene) -> list[Result]:
        memory = self._memory.get(info.stream)
        if memory is None or memory.session != info.session:
            memory = self._memory[info.stream] = Memory.empty(self._rules, info.session)
        given_up = memory.tracker.step(Moment.of(info), sightings)
        happened = self._happened(info, memory, given_up, scene)
        return [self._saying.tracks(info, memory.tracker.tracks), *happened]

    def _happened(
        self, info: FrameInfo, memory: Memory, given_up: Sequence[Track], scene: Scene
    ) -> list[Result]:
        """What the tracks of a frame do at lines and zones; the memory knows it then."""
        now = Moment.of(info)
        visits = [visit for one in given_up for visit in cut_short(one, LOST)]
        crossings: list[Crossing] = []
        tracks = []
        for track in memory.tracker.tracks:
            if track.last == now:
                here = Ground.of(track.motion, self._anchor, info.source_hw)
                track, over = crossed(track, here, scene.borders)
                track, told = visited(track, here, scene.areas, info)
                crossings += over
                visits += told
            tracks.append(track)
        memory.tracker.tracks = tuple(tracks)
        memory.counts = counted(memory.counts, crossings)
        memory.last = info
        return [
            *self._saying.crossings(info, crossings, memory.counts),
            *self._saying.visits(info, visits),
        ]


def build_track(settings: Mapping[str, Any], request: HeadRequest) -> Tracking:
    """Tracking as a user configured it; `Tracking.beside` makes it ready for a job.

    Args:
        settings: `sightings`, `lost_s`, `anchor`.
        request: the backbone.

    Raises:
        UsageError: a setting does not do.
    """
    given = Settings("track", settings, ("sightings", "lost_s", "anchor"))
    usual = Rules()
    rules = Rules(
        sightings=given.whole("sightings", usual.sightings, low=1, high=MOST_SIGHTINGS),
        lost_s=given.number("lost_s", usual.lost_s, low=SHORTEST_LOST_S, high=LONGEST_LOST_S),
    )
    return Tracking(rules, given.choice("anchor", ANCHORS[0], ANCHORS))
