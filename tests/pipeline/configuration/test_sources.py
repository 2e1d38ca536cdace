"""What users name becomes streams: ids that never merge, sessions that follow the content."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.configuration.config import Config
from pipeline.configuration.sources import plan_recordings, plan_stream
from pipeline.configuration.streams import stream_specs
from pipeline.media.fingerprint import file_session
from pipeline.stream.spec import StreamSpec

ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def touch(path: Path, content: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(str(path).encode() if content is None else content)
    return path


def streams(*sources: object, **more: object) -> dict[str, str]:
    plans = plan_recordings([str(source) for source in sources], **more)  # type: ignore[arg-type]
    assert all(ID.fullmatch(plan.stream) for plan in plans)
    assert len({plan.stream for plan in plans}) == len(plans)
    return {plan.stream: plan.url for plan in plans}


def refusal(*sources: object, **more: object) -> str:
    with pytest.raises(UsageError) as caught:
        plan_recordings([str(source) for source in sources], **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_file_is_called_by_its_name(tmp_path: Path) -> None:
    path = touch(tmp_path / "clip one.mp4")
    assert streams(path) == {"clip-one.mp4": str(path)}
    assert streams(path, stream="gate") == {"gate": str(path)}


def test_a_folder_gives_every_video_below_it(tmp_path: Path) -> None:
    wanted = ["a.mp4", "cam1/clip.MP4", "cam2/clip.MP4", "cam2/deep/x.mkv"]
    for name in (*wanted, "notes.txt", ".hidden.mp4", "cam1/picture.png", "._a.mp4"):
        touch(tmp_path / name)
    found = streams(tmp_path)
    assert list(found.values()) == [str(tmp_path / name) for name in wanted]
    assert list(found) == ["a.mp4", "cam1-clip.MP4", "cam2-clip.MP4", "cam2-deep-x.mkv"]


def test_a_glob_names_below_its_fixed_part(tmp_path: Path) -> None:
    for name in ("cam1/a.mp4", "cam2/a.mp4", "cam2/b.bin"):
        touch(tmp_path / name)
    assert list(streams(tmp_path / "*" / "a.mp4")) == ["cam1-a.mp4", "cam2-a.mp4"]
    assert list(streams(tmp_path / "**" / "*")) == ["cam1-a.mp4", "cam2-a.mp4", "cam2-b.bin"]


def test_a_name_with_wildcards_that_exists_is_that_file(tmp_path: Path) -> None:
    path = touch(tmp_path / "take[1].mp4")
    assert streams(path) == {"take-1-.mp4": str(path)}


def test_names_that_look_alike_are_told_apart_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a b.mp4", "a-b.mp4", "a/b.mp4", "other.mp4"):
        touch(tmp_path / name)
    found = streams(tmp_path)
    assert len(found) == 4
    assert "other.mp4" in found
    assert sum(bool(re.fullmatch(r"a-b\.mp4-[0-9a-f]{6}", name)) for name in found) == 3
    assert "a-b.mp4" in caplog.text


def test_equal_names_in_two_places_do_not_merge(tmp_path: Path) -> None:
    one, two = touch(tmp_path / "1" / "clip.mp4"), touch(tmp_path / "2" / "clip.mp4")
    assert len(streams(one, two)) == 2


def test_long_and_foreign_names(tmp_path: Path) -> None:
    touch(tmp_path / f"{'x' * 200}.mp4")
    touch(tmp_path / f"{'x' * 201}.mp4")
    touch(tmp_path / "日本.mp4")
    assert len(streams(tmp_path)) == 3


def test_names_without_a_letter_get_a_mark(tmp_path: Path) -> None:
    """They would all be called `.mp4`, in this run and in the next."""
    names = ("日本.mp4", "中国.mp4", "___.mp4", "日本/a.mp4", "cam/日本.mp4")
    found = {name: list(streams(touch(tmp_path / name), stream=None)) for name in names[:3]}
    for name in names[3:]:
        found[name] = list(streams(touch(tmp_path / "x" / name).parents[1] / "**" / "*.mp4"))
        shutil.rmtree(tmp_path / "x")
    shapes = ("[m].mp4", "[m].mp4", "[m].mp4", "[m]-a.mp4", "cam-[m].mp4")
    for name, shape in zip(names, shapes, strict=True):
        (stream,) = found[name]
        assert re.fullmatch(re.escape(shape).replace(r"\[m\]", "[0-9a-f]{6}"), stream), stream
    assert len({stream for own in found.values() for stream in own}) == len(names)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Two that differ in such a byte alone are two streams, and reach a decoder as they are."""
    paths = [
        os.fsdecode(os.fsencode(tmp_path) + name) for name in (b"/caf\xe9.mp4", b"/caf\xe8.mp4")
    ]
    for path in paths:
        touch(Path(path), os.fsencode(path))
    assert sorted(streams(tmp_path).values()) == sorted(paths)
    config = Config(sources=paths[:1])
    (spec,) = stream_specs(Config.model_validate(config.plain()), live=False)
    assert spec.url == paths[0]
    assert StreamSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    (joined,) = plan_recordings([str(tmp_path)], join=True)
    assert [joined.url, *joined.join] == sorted(paths)


def test_one_file_twice_is_refused(tmp_path: Path) -> None:
    path = touch(tmp_path / "clip.mp4")
    (tmp_path / "link.mp4").symlink_to(path)
    assert "2 times" in refusal(path, path)
    assert "2 times" in refusal(path, tmp_path / "link.mp4")


def test_one_name_for_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        touch(tmp_path / name)
    assert "2 sources with one name, gate" in refusal(tmp_path, stream="gate")
    assert "stream id" in refusal(tmp_path / "a.mp4", stream="the gate")


def test_nothing_there(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "absent.mp4")
    assert "no video file" in refusal(tmp_path)
    assert "no file matches" in refusal(tmp_path / "*.mp4")


def test_cameras_are_not_replayed_and_their_passwords_not_told() -> None:
    message = refusal("rtsp://admin:geh31m@camera/1")
    assert "is live" in message
    assert "geh31m" not in message
    assert "unknown protocol gopher" in refusal("gopher://host/film.mp4")


def test_joined_files_are_one_stream_in_order(tmp_path: Path) -> None:
    for name in ("2.mp4", "1.mp4", "10.mp4"):
        touch(tmp_path / "day" / name)
    (plan,) = plan_recordings([str(tmp_path / "day")], join=True)
    assert plan.stream == "day"
    ordered = [str(tmp_path / "day" / name) for name in ("1.mp4", "2.mp4", "10.mp4")]
    assert [plan.url, *plan.join] == ordered
    (named,) = plan_recordings([str(tmp_path / "day")], join=True, stream="gate")
    assert named.stream == "gate"
    assert named.session == plan.session
    touch(tmp_path / "day" / "2.mp4", b"other")
    assert plan_recordings([str(tmp_path / "day")], join=True)[0].session != plan.session


def test_files_one_by_one_are_not_joined(tmp_path: Path) -> None:
    paths = [str(touch(tmp_path / name)) for name in ("1.mp4", "2.mp4")]
    with pytest.raises(UsageError, match="1 more are files by themselves"):
        plan_recordings(paths, join=True)
    assert plan_recordings(paths[:1], join=True)[0].join == ()


def test_a_session_is_the_content(tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000
    path = touch(tmp_path / "a.mp4", data)
    edges = len(data).to_bytes(8, "little") + data[: 1 << 20] + data[-(1 << 20) :]
    assert file_session(str(path)) == hashlib.sha256(edges).hexdigest()[:12]
    copy = tmp_path / "copy.mkv"
    shutil.copy(path, copy)
    assert file_session(str(copy)) == file_session(str(path))
    changed = {file_session(str(touch(tmp_path / "b", b"x" + data[1:])))}
    changed.add(file_session(str(touch(tmp_path / "c", data[:-1] + b"x"))))
    changed.add(file_session(str(touch(tmp_path / "d", data + b"x"))))
    assert len(changed | {file_session(str(path))}) == 4


def test_a_scene_is_a_recording_of_its_canonical_address() -> None:
    (plan,) = plan_recordings(["synthetic:room?fps=10&seed=4"])
    assert plan.stream == "room-4"
    assert plan.url.startswith("synthetic:room?seed=4&")
    again, other = plan_recordings(["synthetic:room?seed=4&fps=10", "synthetic:room?seed=5"])
    assert again.session == plan.session != other.session


def test_an_unknown_scene_is_refused() -> None:
    assert "unknown scene 'moon'" in refusal("synthetic:moon")


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "srt", "udp", "tcp", "http", "https"])
def test_named_cameras(scheme: str) -> None:
    if "http" not in scheme:  # which may be a file
        with pytest.raises(UsageError, match="is live"):
            plan_stream("gate", f"{scheme}://camera:1", live=False)
    plan = plan_stream("gate", f"{scheme}://camera:1", live=True)
    assert (plan.stream, plan.live, plan.session) == ("gate", True, "")


def test_a_bare_socket_needs_a_port() -> None:
    with pytest.raises(UsageError, match=r"udp://@239\.1\.1\.1 names no host and port"):
        plan_stream("gate", "udp://@239.1.1.1", live=True)


def test_a_device_is_a_camera_of_this_machine() -> None:
    plan = plan_stream("gate", "v4l2:/dev/video0", live=True)
    assert (plan.stream, plan.url, plan.live, plan.session) == (
        "gate",
        "v4l2:/dev/video0",
        True,
        "",
    )
    assert "v4l2:/dev/video0 is live" in refusal("v4l2:/dev/video0")


def test_a_named_file_is_a_recording(tmp_path: Path) -> None:
    path = touch(tmp_path / "a.mp4")
    plan = plan_stream("gate", str(path), live=True)
    assert (plan.stream, plan.url, plan.live) == ("gate", str(path), False)
    touch(tmp_path / "b.mp4")
    with pytest.raises(UsageError, match="2 sources with one name"):
        plan_stream("gate", str(tmp_path), live=True)


def test_a_download_that_cannot_be_had() -> None:
    message = refusal("http://u:geh31m@127.0.0.1:9/film.mp4")
    assert "cannot be read" in message
    assert "geh31m" not in message


def test_a_pipe_among_the_files_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert list(streams(tmp_path)) == ["pipe.mp4"]
