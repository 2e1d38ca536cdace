"""How well cuts are found, and what it costs, beside PySceneDetect.

    python -m benchmarks.shots CLIP... [--films 6] [--calm] [--peer PYTHON] [--out FILE]

Films are made of clips that have no cut of their own, and encoded: 320 x 180 at 25 frames/s. What
is found in them is held against what is there, to the frame and within two. `--peer` names a Python
that has `scenedetect` and OpenCV, whose detectors are run on the same files at their defaults.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.shots.films import FPS, KINDS, Film, Picture, made
from benchmarks.shots.score import Score, matched, scored
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.decode.once import decoded
from pipeline.decode.playback import Playback
from pipeline.decode.shots import Shots
from pipeline.media.encode import write_clip
from pipeline.stream.chunk import Frames, Shot
from pipeline.stream.spec import StreamSpec

SHORT_SIDE = 196  # of the clips' pictures
TOLERANCES = (0, 2)  # frames
PEERS = ("AdaptiveDetector", "ContentDetector")
PEER = """
import json, sys, scenedetect
found = {}
for name in sys.argv[2:]:
    scenes = scenedetect.detect(sys.argv[1], getattr(scenedetect, name)())
    found[name] = [scene[0].frame_num for scene in scenes][1:]
print(json.dumps(found))
"""
GROUPS = {"cuts": ("cut",), "fades": ("fade",), "dissolves": ("dissolve",), "all": tuple(KINDS)}


def pictures_of(path: str) -> list[Picture]:
    """All frames of a clip."""
    said = {"sources": [path], "sampling": {"all": True}, "short_side": SHORT_SIDE}
    (spec,) = stream_specs(resolve(None, said), live=False)
    runs = [one for one in decoded(spec) if isinstance(one, Frames)]
    if not runs:
        raise SystemExit(f"{path}: no frame can be decoded")
    return [picture for run in runs for picture in run.pixels]


def film_spec(path: Path, **more: Any) -> StreamSpec:
    """Of a film, of which a frame of each second is sampled."""
    said = {"sources": [str(path)], "sampling": {"fps": 1}, **more}
    (spec,) = stream_specs(resolve(None, said), live=False)
    return spec


def ours(path: Path) -> list[int]:
    """Frames at which shots begin, but for the first."""
    spec = film_spec(path, shots=True)
    shots, found = Shots(spec), []
    for item in Playback(spec, lambda: 0).items():
        for told in [] if item is None else shots.judge(item):
            if isinstance(told, Shot) and told.began != "start":
                found.append(_frame(told))
    return found


def _frame(shot: Shot) -> int:
    pts = int(shot.start["position"])
    return round(pts * shot.last.time_base * FPS)


def peers(python: str, path: Path) -> dict[str, list[int]]:
    """The same of each of PySceneDetect's detectors."""
    command = [python, "-c", PEER, str(path), *PEERS]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        raise SystemExit(f"{python}: {told.stderr.strip()[-400:]}")
    found: dict[str, list[int]] = json.loads(told.stdout.strip().splitlines()[-1])
    return found


def cost(path: Path, frames: int) -> dict[str, float]:
    """CPU microseconds per decoded frame, of decoding alone and of looking for shots beside it;
    the least of three turns."""
    spent: dict[str, list[float]] = {"decoding": [], "with shots": []}
    for _ in range(3):
        for name, more in (("decoding", {}), ("with shots", {"shots": True})):
            spec = film_spec(path, **more)
            shots, begun_s = Shots(spec), time.process_time()
            for item in Playback(spec, lambda: 0).items():
                if item is not None:
                    shots.judge(item)
            spent[name].append((time.process_time() - begun_s) / frames * 1e6)
    decoding, both = (min(spent[name]) for name in spent)
    return {"decoding_us": round(decoding, 1), "shots_us": round(both - decoding, 1)}


def judged(films: Sequence[Film], found: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Of one detector: F1, precision and recall by kind of change and tolerance."""
    told: dict[str, Any] = {}
    for name, kinds in GROUPS.items():
        for tolerance in TOLERANCES:
            pairs = zip(films, found, strict=True)
            rows = [scored(film.changes, one, tolerance, kinds) for film, one in pairs]
            total = sum(rows, Score())
            told[f"{name}, {tolerance} frames"] = {
                "f1": round(total.f1, 4),
                "precision": round(total.precision, 4),
                "recall": round(total.recall, 4),
                "there": total.there,
                "found": total.found,
                "right": total.right,
            }
    return told


def wrong(films: Sequence[Film], found: Sequence[Sequence[int]]) -> dict[str, int]:
    """What was found where nothing is, by what upsets the stretch there."""
    counts: dict[str, int] = {}
    for film, one in zip(films, found, strict=True):
        right = set(matched(film.changes, one, TOLERANCES[-1]).values())
        for frame in one:
            if frame not in right:
                why = film.upsets[frame] if frame < len(film.upsets) else "none"
                counts[why] = counts.get(why, 0) + 1
    return counts


def report(
    clips: Sequence[str], films: Sequence[Film], paths: Sequence[Path], peer: str | None
) -> dict[str, Any]:
    """Of all detectors."""
    found: dict[str, list[list[int]]] = {"ours": [ours(path) for path in paths]}
    for path in paths if peer else ():
        assert peer
        for name, frames in peers(peer, path).items():
            found.setdefault(name, []).append(frames)
    total = sum(len(film.pictures) for film in films)
    return {
        "benchmark": "shots",
        "clips": [Path(clip).name for clip in clips],
        "frames": total,
        "detectors": {name: judged(films, one) for name, one in found.items()},
        "found where nothing is": {name: wrong(films, one) for name, one in found.items()},
        "cost per decoded frame": cost(paths[0], len(films[0].pictures)),
    }


def films_of(given: argparse.Namespace, folder: Path) -> Iterator[tuple[Film, Path]]:
    """Films, and where they are encoded."""
    clips = [pictures_of(clip) for clip in given.clips]
    for number in range(given.films):
        seed, path = given.seed * 1000 + number, folder / f"film-{number}.mp4"
        film = made(clips, given.stretches, seed, calm=given.calm)
        write_clip(path, film.pictures, fps=FPS)
        yield film, path


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("clips", nargs="+", metavar="CLIP")
    options.add_argument("--films", type=int, default=6)
    options.add_argument("--stretches", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--calm", action="store_true", help="nothing looks like a cut")
    options.add_argument("--peer", metavar="PYTHON")
    options.add_argument("--out", type=Path, metavar="FILE")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        films, paths = zip(*films_of(given, Path(temporary)), strict=True)
        told = report(given.clips, films, paths, given.peer) | {"calm": given.calm}
    _print(told)
    if given.out:
        given.out.write_text(json.dumps(told, indent=1) + "\n")


def _print(told: dict[str, Any]) -> None:
    print(f"{told['frames']} frames; cost {told['cost per decoded frame']}")
    for name, rows in told["detectors"].items():
        print(name, told["found where nothing is"][name])
        for what, row in rows.items():
            numbers = [row["f1"], row["precision"], row["recall"]]
            print(f"  {what}: F1 {numbers[0]:.3f} (P {numbers[1]:.3f}, R {numbers[2]:.3f})", row)


if __name__ == "__main__":
    sys.exit(main())
