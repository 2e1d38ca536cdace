"""A scene as a reel: every frame has its place in time, and only those that are drawn are
rendered."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.media.rendered import SceneReel
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import parse_scene_uri

URI = "synthetic:world?seed=3&seconds=1&fps=5&size=32x16"


def test_frames_that_nobody_draws_are_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []
    render = Scene.render
    monkeypatch.setattr(
        Scene, "render", lambda scene, index: rendered.append(index) or render(scene, index)
    )
    pictures = list(SceneReel(URI).pictures())
    assert [(picture.pts, picture.source_hw) for picture in pictures] == [
        (pts, (16, 32)) for pts in range(5)
    ]
    assert rendered == []
    drawn = pictures[3].frame.to_ndarray(format="rgb24")
    assert rendered == [3]
    np.testing.assert_array_equal(drawn, render(open_scene(parse_scene_uri(URI)), 3).rgb)
