"""The clip of the demo: rendered once, again when it is another scene, never half."""

import pytest

from pipeline.demo.clip import DemoClip, given_clip, rendered_clip
from pipeline.errors import SinkError
from pipeline.synthetic.uri import SceneSpec

SCENE = SceneSpec(seed=1, seconds=0.4, fps=5, size_wh=(32, 16))
OTHER = SceneSpec(seed=2, seconds=0.4, fps=5, size_wh=(32, 16))


@pytest.fixture
def said():
    return []


def test_a_room_is_rendered_once_and_kept(tmp_path, said):
    clip = rendered_clip(tmp_path / "new", said.append, scene=SCENE)
    first = (tmp_path / "new" / "scene.mp4").read_bytes()
    assert clip == DemoClip(str(tmp_path / "new" / "scene.mp4"), SCENE)
    assert rendered_clip(tmp_path / "new", said.append, scene=SCENE) == clip
    assert len(said) == 1
    assert (tmp_path / "new" / "scene.mp4").read_bytes() == first


def test_the_same_scene_gives_the_same_file(tmp_path, said):
    for name in ("one", "two"):
        rendered_clip(tmp_path / name, said.append, scene=SCENE)
    one, two = ((tmp_path / name / "scene.mp4").read_bytes() for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("lost", ["scene.mp4", "scene.txt"])
def test_what_is_not_whole_is_rendered_again(tmp_path, said, lost):
    rendered_clip(tmp_path, said.append, scene=SCENE)
    (tmp_path / lost).unlink()
    rendered_clip(tmp_path, said.append, scene=SCENE)
    assert len(said) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scene.mp4", "scene.txt"]


def test_another_scene_replaces_the_clip(tmp_path, said):
    rendered_clip(tmp_path, said.append, scene=SCENE)
    before = (tmp_path / "scene.mp4").read_bytes()
    assert rendered_clip(tmp_path, said.append, scene=OTHER).scene == OTHER
    assert (tmp_path / "scene.mp4").read_bytes() != before


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path, said):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(SinkError, match=r"cannot write .*scene\.mp4"):
        rendered_clip(tmp_path / "results", said.append, scene=SCENE)


def test_only_a_scene_brings_its_truth():
    assert given_clip("clip.mp4").scene is None
    assert given_clip("synthetic:room?seed=4").scene == SceneSpec(seed=4)
