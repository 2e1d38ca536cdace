"""Objects of an S3 store: read by ranges, refused with a reason, and no secret said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.configuration.sources import plan_recordings
from pipeline.decode.chained import Chained
from pipeline.decode.collector import checksum
from pipeline.decode.playback import Playback
from pipeline.decode.track import Sample
from pipeline.errors import SourceError
from pipeline.media.container import open_video
from pipeline.media.encode import write_clip
from pipeline.media.fingerprint import file_session
from pipeline.media.s3 import list_objects
from pipeline.stream.chunk import End
from pipeline.stream.layout import Layout
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from tests.s3_store import BUCKET, SECRET, Store, s3_store

pytest.importorskip("s3fs")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with s3_store() as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        yield store


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four MB of noise, a second of it 270 kB."""
    path = tmp_path_factory.mktemp("s3") / "noise.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (150, 160, 224, 3), np.uint8)
    write_clip(path, noise, 10, keyframe_every=10)
    return path


def play(url: str, **more: object) -> list[object]:
    spec = StreamSpec("s", url, session="5e5510n", samplings=(Sampling("fps", 1),), **more)  # type: ignore[arg-type]
    return [item for item in Playback(spec, lambda: 0, lambda _: True).items() if item is not None]


def keys(items: list[object]) -> list[tuple[str, int, bytes]]:
    return [
        (item.info.position, item.info.event_time_us, item.pixels.tobytes())
        for item in items
        if isinstance(item, Sample)
    ]


def test_an_object_is_the_recording_that_its_file_is(store: Store, clip_path: Path) -> None:
    store.objects["cam 1/a+b.mp4"] = clip_path.read_bytes()
    url = f"s3://{BUCKET}/cam 1/a+b.mp4"
    (plan,) = plan_recordings([url])
    assert (plan.stream, plan.url) == ("a-b.mp4", url)
    assert plan.session == file_session(str(clip_path))
    played = play(url)
    assert isinstance(played[-1], End)
    assert played[-1].outcome == "ok"
    assert keys(played) == keys(play(str(clip_path)))


def test_a_seek_reads_a_part_and_a_line_that_breaks_is_read_on(
    store: Store, clip_path: Path
) -> None:
    data = clip_path.read_bytes()
    store.objects["a.mp4"] = data
    url = f"s3://{BUCKET}/a.mp4"
    whole = play(url)
    late = [item for item in whole if isinstance(item, Sample)][-2]
    store.sent.clear()
    cursor = json.loads(json.dumps({**late.cursor, "checksum": checksum(late.pixels)}))
    rest = play(url, cursor=cursor)
    assert keys(rest) == keys(whole)[-1:]
    assert store.sent["a.mp4"] < len(data) / 2
    store.broken = 3
    assert keys(play(url)) == keys(whole)


def test_a_folder_gives_its_videos_and_a_layout_its_chains(store: Store, clip_path: Path) -> None:
    for name in ("gate/part-10.mp4", "gate/part-2.mp4", "gate/notes.txt", ".trash/x.mp4"):
        store.objects[f"site/{name}"] = b"%d" % len(name) + clip_path.read_bytes()[:4096]
    plans = plan_recordings([f"s3://{BUCKET}/site"])
    assert [plan.stream for plan in plans] == ["gate-part-2.mp4", "gate-part-10.mp4"]
    assert dict(list_objects(f"s3://{BUCKET}/site/gate/"))["notes.txt"] == 4098
    for second in ("00", "15"):
        store.objects[f"cams/a/2026-11-30_12-00-{second}.mp4"] = clip_path.read_bytes()
    layout = Layout("{stream}/{time:%Y-%m-%d_%H-%M-%S}.mp4", "UTC")
    with pytest.raises(UsageError, match=r"s3://.*-00.mp4 and s3://.*-15.mp4 hold the same"):
        plan_recordings([f"s3://{BUCKET}/cams"], layout=layout)
    store.objects["cams/a/2026-11-30_12-00-15.mp4"] += b"\0\0\0\x08free"
    store.sent.clear()
    (plan,) = plan_recordings([f"s3://{BUCKET}/cams"], layout=layout)
    assert (plan.stream, len(plan.join)) == ("a", 1)
    assert not any(store.sent.get(key) for key in store.objects)
    more = {"join": plan.join, "layout": layout, "short_side": 56}
    spec = StreamSpec("a", plan.url, session="c4a1n", samplings=(Sampling("fps", 1),), **more)  # type: ignore[arg-type]
    items = [item for item in Chained(spec, lambda: 0).items() if item is not None]
    assert len(keys(items)) == 30
    assert items[-1].outcome == "ok"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("private.mp4", r"may not be read with these credentials \(403 AccessDenied\)"),
        ("missing.mp4", r"is not there \(404 NoSuchKey\)"),
        ("list.mp4", r"is a playlist \(hls\), which is read over http"),
    ],
)
def test_what_the_store_refuses_is_said(store: Store, key: str, complaint: str) -> None:
    store.objects |= {"private.mp4": b"x", "list.mp4": b"#EXTM3U\n"}
    store.private.add("private.mp4")
    with pytest.raises(UsageError, match=complaint):
        plan_recordings([f"s3://{BUCKET}/{key}"])
    with pytest.raises(SourceError, match=complaint):
        open_video(f"s3://{BUCKET}/{key}", max_pixels=1 << 20, timeout_s=5)


def test_without_credentials_or_with_wrong_ones_nothing_secret_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store.objects["a.mp4"] = b"x"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHER")
    with pytest.raises(UsageError, match="403 InvalidAccessKeyId") as wrong:
        plan_recordings([f"s3://{BUCKET}/a.mp4"])
    with pytest.raises(UsageError, match=r"s3://other/ (may not be listed|is not there)"):
        plan_recordings(["s3://other/"])
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UsageError, match="needs credentials: set AWS_PROFILE"):
        plan_recordings([f"s3://{BUCKET}/a.mp4"])
    with pytest.raises(UsageError, match="names no bucket") as address:
        plan_recordings([f"s3://AKID:{SECRET}@{BUCKET}/a.mp4"])
    assert SECRET not in f"{wrong.value}{address.value}{caplog.text}"
    assert "X-Amz" not in f"{wrong.value}{caplog.text}"


def test_without_s3fs_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(UsageError, match=r"pip install 'dinostream\[s3\]'"):
        plan_recordings([f"s3://{BUCKET}/a.mp4"])
