"""How well things are tracked in rendered worlds, ours beside ByteTrack and OC-SORT.

    python -m benchmarks.tracking            yard and world at 2, 5 and 10 frames a second
    python -m benchmarks.tracking --scene yard --rate 5 --clips 2 --seconds 20

Detections are true boxes made worse from a seed (`noise.py`), the same for every tracker. Looks are
pooled from patches of a backbone that has seen the rendered frames: `--weights demo`, which knows
such worlds, or `random`. Peers need the package `trackers`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.tracking.footage import RATE, SIZE_WH, Seen, clip
from benchmarks.tracking.metrics import Told, Worth, worth
from benchmarks.tracking.noise import Noise
from benchmarks.tracking.peers import Peer, Step, ours
from operators.track.sightings import Sightings
from operators.track.track import Moment
from operators.track.tracker import Rules

SCENES, RATES = ("yard", "world"), (2, 5, 10)
FIRST_SEED = 500  # of clips that nothing was tuned on
_APART = 1_000_000  # ids of one clip from those of the next

PEERS = (
    Peer("ByteTrack", {}),
    Peer("ByteTrack", {"track_activation_threshold": 0.5, "high_conf_det_threshold": 0.5}),
    Peer("OC-SORT", {}),
    Peer(
        "OC-SORT",
        {
            "high_conf_det_threshold": 0.5,
            "minimum_consecutive_frames": 2,
            "minimum_iou_threshold": 0.1,
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Footage:
    """Clips of one scene, as a detector sees them at one rate: per frame the truth and what is
    detected."""

    fps: int
    clips: list[list[tuple[Seen, Sightings]]]

    @classmethod
    def of(cls, clips: list[list[Seen]], fps: int, noise: Noise) -> Footage:
        return cls(fps, [_detected(frames, fps, noise, seed) for seed, frames in enumerate(clips)])

    def worth(self, start: Callable[[], Step], *, blind: bool = False) -> Worth:
        """Of a tracker that is started anew for every clip; `blind`: without looks."""
        told = []
        for number, frames in enumerate(self.clips):
            step = start()
            for index, (seen, found) in enumerate(frames):
                now = Moment(index * 1_000_000 // self.fps, str(index))
                ids, boxes = step(now, _blind(found) if blind else found)
                apart = number * _APART
                told.append(Told(seen.ids + apart, seen.boxes, ids + apart, boxes))
        return worth(told)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tracking",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scene", action="append", choices=SCENES, help="default: both")
    parser.add_argument("--rate", action="append", type=int, choices=RATES, help="default: all")
    parser.add_argument("--clips", type=int, default=6, help="of each scene (default: 6)")
    parser.add_argument("--seconds", type=float, default=60, help="of a clip (default: 60)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first clip")
    parser.add_argument("--weights", default="demo", choices=("demo", "random"))
    parser.add_argument("--folder", type=Path, default=Path("results/tracking"))
    chosen = parser.parse_args()
    for scene in chosen.scene or SCENES:
        seeds = range(chosen.seed, chosen.seed + chosen.clips)
        clips = [clip(scene, seed, chosen.seconds, chosen.weights, chosen.folder) for seed in seeds]
        for fps in chosen.rate or RATES:
            footage = Footage.of(clips, fps, Noise())
            for name, found in _contest(footage):
                print(_row(scene, fps, name, found), flush=True)


def _contest(footage: Footage) -> Iterator[tuple[str, Worth]]:
    rules = Rules()
    yield "ours", footage.worth(lambda: ours(rules))
    yield "ours, looks unknown", footage.worth(lambda: ours(rules), blind=True)
    for peer in PEERS:
        yield (
            f"{peer.name}{_said(peer.settings)}",
            footage.worth(lambda peer=peer: peer.start(footage.fps, rules)),
        )


def _said(settings: Mapping[str, float]) -> str:
    return f" ({', '.join(f'{name} {value:g}' for name, value in settings.items())})" * bool(
        settings
    )


def _row(scene: str, fps: int, name: str, found: Worth) -> str:
    numbers = (found.idf1, found.hota, found.detection, found.association)
    shares = " | ".join(f"{number:.3f}" for number in numbers)
    last = f"{found.switches} | {found.precision:.3f} | {found.recall:.3f} | {found.boxes}"
    return f"| {scene} | {fps} | {name} | {shares} | {last} |"


def _detected(
    frames: list[Seen], fps: int, noise: Noise, seed: int
) -> list[tuple[Seen, Sightings]]:
    """Every so-manieth frame, with what a bad detector finds in it."""
    rng = np.random.default_rng(seed)
    taken = frames[:: RATE // fps]
    return [
        (seen, seen.with_looks(noise.detect(rng, seen.boxes, seen.labels, SIZE_WH)))
        for seen in taken
    ]


def _blind(found: Sightings) -> Sightings:
    return Sightings(found.boxes, found.scores, found.labels, found.looks[:, :0])


if __name__ == "__main__":
    main()
