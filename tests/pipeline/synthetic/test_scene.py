"""A rendered clip as its users see it: bytes that depend on the spec alone, and on nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.synthetic.action import ROOM_ACTIONS
from pipeline.synthetic.renderer import SceneFrame
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import RENDERER_VERSION, SceneSpec

OpenScene = Callable[[int], Scene]

ROOT = Path(__file__).parents[3]

# When this changes, every stored record of a rendered clip is about other pixels: raise
# `uri.RENDERER_VERSION`, then put the new version and hash here.
PINNED = (1, "75633e6e0f9854dff8fe07e05eff1eb7b441945f2573577ef218f4aff6265733")

_HASH_CLIP = """
import hashlib
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec
scene = open_scene(SceneSpec(seed=5, seconds=1.0, fps=10, size_wh=(96, 64)))
frames = [scene.render(index) for index in (0, 4, 9)]
digest = hashlib.sha256()
for frame in frames:
    for array in (frame.rgb, frame.depth_m, frame.classes):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


def _bytes(frame: SceneFrame) -> bytes:
    return frame.rgb.tobytes() + frame.depth_m.tobytes() + frame.classes.tobytes()


def _hash_in_new_process(**env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _HASH_CLIP],
        env=os.environ | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_frames_have_the_promised_shapes_and_types(scene: OpenScene) -> None:
    frame = scene(5).render(0)
    assert (frame.rgb.shape, frame.rgb.dtype) == ((90, 160, 3), np.uint8)
    assert (frame.depth_m.shape, frame.depth_m.dtype) == ((90, 160), np.float32)
    assert (frame.classes.shape, frame.classes.dtype) == ((90, 160), np.uint8)
    assert np.isfinite(frame.depth_m).all()
    assert frame.depth_m.min() > 0.3
    assert frame.classes.max() < len(scene(5).labels.labels)


@pytest.mark.slow
def test_two_processes_render_the_same_bytes_whatever_their_cpu_can_do() -> None:
    plain = _hash_in_new_process(PYTHONHASHSEED="1")
    # numpy dispatches by CPU features; without them it runs other code.
    old_cpu = _hash_in_new_process(
        PYTHONHASHSEED="2",
        NPY_DISABLE_CPU_FEATURES="X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    )
    assert plain == old_cpu
    assert (RENDERER_VERSION, plain) == PINNED


@pytest.mark.slow
def test_random_access_equals_sequential(scene: OpenScene) -> None:
    opened = scene(2)
    forward = [_bytes(opened.render(index)) for index in range(6)]
    backward = [_bytes(opened.render(index)) for index in reversed(range(6))]
    assert forward == backward[::-1]
    assert len(set(forward)) == 6
    assert _bytes(open_scene(opened.spec).render(4)) == forward[4]


@pytest.mark.slow
def test_rendering_leaves_numpys_global_generator_alone(scene: OpenScene) -> None:
    before = np.random.get_state()[1].tobytes()  # type: ignore[index, union-attr]
    open_scene(SceneSpec(seed=3, size_wh=(16, 16))).render(0)
    assert np.random.get_state()[1].tobytes() == before  # type: ignore[index, union-attr]


def test_another_seed_is_another_clip(scene: OpenScene) -> None:
    assert _bytes(scene(1).render(0)) != _bytes(scene(2).render(0))


@pytest.mark.slow
def test_the_picture_size_changes_no_geometry(scene: OpenScene) -> None:
    """Planes are linear in 1 / depth: a block's mean is what its middle sees, but at edges."""
    small = 1.0 / scene(5).render(7).depth_m
    spec = SceneSpec(seed=5, seconds=3.0, fps=10, size_wh=(320, 180))
    large = 1.0 / open_scene(spec).render(7).depth_m.reshape(90, 2, 160, 2)
    agree = np.isclose(large.mean(axis=(1, 3)), small, rtol=1e-5)
    assert agree.mean() > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("size_wh", [(16, 16), (16, 512), (1024, 16)])
def test_extreme_pictures_render(size_wh: tuple[int, int]) -> None:
    frame = open_scene(SceneSpec(seed=1, seconds=0.1, fps=10, size_wh=size_wh)).render(0)
    assert frame.rgb.shape == (size_wh[1], size_wh[0], 3)
    assert np.isfinite(frame.depth_m).all()


@pytest.mark.parametrize("index", [-1, 30])
def test_a_frame_that_is_not_there_is_an_error(scene: OpenScene, index: int) -> None:
    with pytest.raises(IndexError, match="of a clip of 30 frames"):
        scene(1).render(index)


@pytest.mark.slow
def test_the_seed_decides_the_action_and_all_actions_occur(scene: OpenScene) -> None:
    assert scene(1).action == scene(1).action
    assert {scene(seed).action for seed in (0, 1, 3, 5, 13)} == set(ROOM_ACTIONS)


@pytest.mark.slow
def test_it_needs_numpy_only() -> None:
    code = (
        "import sys, pipeline.synthetic.scene\n"
        "print({'av', 'ray', 'kafka', 'torch', 'PIL', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
