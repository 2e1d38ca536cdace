"""The yard: a still camera, bodies that come, stop, meet and leave, whatever the clip's length."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.synthetic.instances import Standing
from pipeline.synthetic.motion import Moment
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import RENDERER_VERSION, SceneSpec
from pipeline.synthetic.yard import Yard

ROOT = Path(__file__).parents[3]
FPS = 5

# As in test_scene: when this changes, raise `uri.RENDERER_VERSION`.
PINNED = (1, "2c8c490986b74096a6ce5d3693d983af5f02783f6088a3fbbd3fd6fcc4f05c9d")

_HASH_CLIPS = """
import hashlib
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec
digest = hashlib.sha256()
for seed in range(3):
    scene = open_scene(SceneSpec("yard", seed=seed, seconds=600.0, fps=5, size_wh=(112, 64)))
    for index in (0, 2999):
        frame = scene.render(index)
        for array in (frame.rgb, frame.depth_m, frame.classes, scene.instances(index).mask):
            digest.update(array.tobytes())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def yard() -> Callable[[int], Yard]:
    return cache(lambda seed: Yard(seed, 6))


def _open(seed: int, *, bodies: int = 6, seconds: float = 600.0) -> Scene:
    size_wh = (128, 72)
    return open_scene(
        SceneSpec("yard", seed=seed, seconds=seconds, fps=FPS, size_wh=size_wh, bodies=bodies)
    )


def _movers(yard: Yard, first_s: float, last_s: float) -> dict[int, dict[int, Standing]]:
    """Who is under way at each fifth of a second; what always stands there is left out."""
    steps = range(round(first_s * FPS), round(last_s * FPS))
    here = {step: yard.standing(Moment(step / FPS, 0.0)) for step in steps}
    fixed = set.intersection(*({*one} for one in here.values()))
    return {step: {k: v for k, v in one.items() if k not in fixed} for step, one in here.items()}


@pytest.mark.slow
def test_two_processes_render_the_same_bytes_whatever_their_cpu_can_do() -> None:
    hashes = []
    for features in ("", "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _HASH_CLIPS],
            env=os.environ | {"NPY_DISABLE_CPU_FEATURES": features},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        hashes.append(done.stdout.strip())
    assert hashes[0] == hashes[1]
    assert (RENDERER_VERSION, hashes[0]) == PINNED


def test_without_bodies_nothing_moves() -> None:
    scene = _open(1, bodies=0)
    first, last = scene.render(0), scene.render(2999)
    assert np.array_equal(first.rgb, last.rgb)
    assert np.array_equal(first.depth_m, last.depth_m)
    assert scene.instances(0).seen == scene.instances(2999).seen


def test_only_what_is_near_a_body_changes() -> None:
    scene, empty = _open(5), _open(5, bodies=0)
    frame, bare = scene.render(25), empty.render(0)
    elsewhere = scene.instances(25).mask == empty.instances(0).mask
    assert 0.5 < elsewhere.mean() < 0.99
    assert np.array_equal(frame.depth_m[elsewhere], bare.depth_m[elsewhere])


def test_a_frame_depends_on_its_time_alone_and_not_on_the_clip_or_what_was_asked_before() -> None:
    long, short = _open(2), _open(2, seconds=20.0)
    late = long.render(2500).rgb
    assert np.array_equal(long.render(60).rgb, short.render(60).rgb)
    assert np.array_equal(_open(2).render(2500).rgb, late)


def test_bodies_come_and_others_come_after_them(yard: Callable[[int], Yard]) -> None:
    for seed in (1, 2):
        movers = _movers(yard(seed), 0.0, 120.0)
        counts = [len(one) for one in movers.values()]
        assert max(counts) <= 6
        assert np.mean(counts) > 2
        ids = set().union(*movers.values())
        assert len(ids) > 20
        for number in ids:
            steps = [step for step, one in movers.items() if number in one]
            assert steps == list(range(steps[0], steps[-1] + 1))
            assert len({movers[step][number].class_id for step in steps}) == 1


def test_bodies_walk_and_stop_and_do_not_run_into_each_other(
    yard: Callable[[int], Yard],
) -> None:
    movers = _movers(yard(3), 30.0, 90.0)
    steps_m, nearest_m = [], math.inf
    for before, after in itertools.pairwise(movers.values()):
        for number in before.keys() & after.keys():
            steps_m.append(math.dist(before[number].foot_m, after[number].foot_m))
        for one, other in itertools.combinations(after.values(), 2):
            nearest_m = min(nearest_m, math.dist(one.foot_m, other.foot_m))
    stopped = np.mean([step == 0.0 for step in steps_m])
    assert 0.2 < stopped < 0.8
    assert max(steps_m) <= 1.01 * 6.0 / FPS
    assert nearest_m > 0.7


@pytest.mark.parametrize("size_hw", [(72, 128), (96, 96), (128, 72)])
def test_bodies_appear_and_vanish_out_of_view(
    yard: Callable[[int], Yard], size_hw: tuple[int, int]
) -> None:
    """Whatever the picture's shape: at both ends of a walk no corner of a body is in it."""
    clip = yard(4)
    movers = _movers(clip, 0.0, 60.0)
    ends = 0
    for before, after in itertools.pairwise(sorted(movers)):
        gone, come = movers[before].keys() - movers[after], movers[after].keys() - movers[before]
        for number, step in (*((k, before) for k in gone), *((k, after) for k in come)):
            moment = Moment(step / FPS, 0.0)
            camera = clip.camera(moment, size_hw)
            for part in clip.things(moment)[number]:
                solid = part.solid(moment)
                window = camera.window(solid.centre, solid.reach)
                speed_m = 6.0 / FPS  # it may have walked so far since it appeared
                assert window is None or _beside(camera.project(solid.centre), size_hw, speed_m)
            ends += 1
    assert ends > 10


def _beside(seen: tuple[float, float, float], size_hw: tuple[int, int], slack_m: float) -> bool:
    """Whether a point is outside the picture, or no more than so far inside of it."""
    column, row, depth_m = seen
    slack_px = slack_m * 0.86 * max(size_hw) / abs(depth_m)
    return depth_m < 0 or not (
        slack_px < column < size_hw[1] - slack_px and row < size_hw[0] - slack_px
    )


def test_bodies_hide_each_other_now_and_then() -> None:
    scene = _open(5)
    hidden = 0
    for index in range(0, 300, 3):
        seen = {one.id: one.box for one in scene.instances(index).seen}
        hidden += any(
            a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
            for a, b in itertools.combinations(seen.values(), 2)
        )
    assert hidden > 10


def test_ids_fit_their_type_after_a_day(yard: Callable[[int], Yard]) -> None:
    ids = Yard(1, 12).standing(Moment(86_400.0, 1.0))
    assert 30_000 < max(ids) < 2**16


def test_it_shows_no_one_action() -> None:
    with pytest.raises(UsageError, match="synthetic:yard shows no action of its own"):
        _ = _open(1).action
