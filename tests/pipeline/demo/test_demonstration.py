"""A demonstration from clip to text and picture, and the second one over the same clip."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from PIL import Image

from operators.errors import UsageError
from pipeline.demo.clip import DemoClip
from pipeline.demo.findings import read_findings
from pipeline.demo.picture_file import drawn_from, save_picture
from pipeline.errors import SinkError
from pipeline.media.plain import plain_frames

TOPICS = (
    *("action", "depth", "depth.summary", "embedding", "pca"),
    *("segmentation", "segmentation.summary", "detections", "tracks"),
)


def stored(run):
    with closing(sqlite3.connect(run.plan.folder / "demo.db")) as database:
        return dict(
            database.execute("SELECT topic, count(*) FROM records WHERE id LIKE topic || '/%' "
                             "AND topic NOT IN ('events', 'labels', 'manifest') GROUP BY topic")
        )  # fmt: skip


def test_the_first_run_says_what_lies_where(first_run):
    text = "\n".join(first_run.said)
    assert first_run.code == 0
    assert "8 frames in" in text
    assert "frames/s" in text
    assert set(stored(first_run)) == set(TOPICS)
    for topic, count in stored(first_run).items():
        assert f"{topic:>22} {count:>6} records" in text
    assert f"in sqlite:{first_run.plan.folder / 'demo.db'}, stream scene.mp4" in text
    assert f"{first_run.plan.picture}" in text
    assert f"{first_run.plan.film}" in text
    assert "mean nothing" in text
    assert "make demo CLIP=" in text
    assert "make demo FRESH=1" in text


def test_it_shows_one_real_record_as_tail_prints_it(first_run):
    (line,) = (json.loads(text) for text in first_run.said if text.startswith("{"))
    with closing(sqlite3.connect(first_run.plan.folder / "demo.db")) as database:
        (value,) = database.execute(
            "SELECT value FROM records WHERE topic = ? AND id = ?", (line["topic"], line["id"])
        ).fetchone()
    assert line["data"] == json.loads(value)
    assert line["untrained"] == "true"


def test_the_second_run_says_that_it_is_complete_and_leaves_the_picture(first_run):
    before = first_run.plan.picture.stat().st_mtime_ns
    second = first_run.again()
    assert second.code == 0
    (complete,) = (text for text in second.said if text.startswith("complete"))
    assert "8 frames" in complete
    assert "make demo FRESH=1" in complete
    assert f"{'depth':>22} {8:>6} records" in second.said
    assert any(str(second.plan.picture) in text for text in second.said)
    assert first_run.plan.picture.stat().st_mtime_ns == before


def test_the_film_is_as_long_as_the_clip_and_is_drawn_again_where_it_is_missing(first_run):
    film = first_run.plan.film
    for missing in (False, True):
        if missing:
            film.unlink()
            first_run.again()
        frames = list(plain_frames(str(film), 10))
        assert len(frames) == 16
        assert frames[0][1].width == 1600


def test_a_missing_or_foreign_picture_is_drawn_again(first_run):
    mine, mark = first_run.plan.picture.read_bytes(), drawn_from(first_run.plan.picture)
    first_run.plan.picture.unlink()
    assert drawn_from(first_run.plan.picture) == ""
    Image.new("RGB", (4, 4)).save(first_run.plan.picture)
    assert drawn_from(first_run.plan.picture) == ""
    first_run.again()
    assert first_run.plan.picture.read_bytes() == mine
    assert drawn_from(first_run.plan.picture) == mark != ""


def test_afresh_finds_the_same_records(first_run):
    counts = stored(first_run)
    fresh = first_run.again(fresh=True)
    assert fresh.code == 0
    assert any(text.startswith("8 frames in") for text in fresh.said)
    assert any("were there already, with the same payload" in text for text in fresh.said)
    assert stored(fresh) == counts


def test_a_clip_that_is_no_video_fails_and_says_why(first_run, tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("this is no video\n" * 50)
    failed = first_run.again(clip=DemoClip(str(text)), folder=tmp_path)
    assert failed.code == 1
    assert any(said.startswith("  notes.mp4: ") for said in failed.said)
    assert not failed.plan.picture.exists()


def test_several_clips_are_refused(first_run, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match=r"holds 2; name one of them, or use: dinostream replay"):
        first_run.again(clip=DemoClip(str(tmp_path)), folder=tmp_path)


def test_a_picture_that_cannot_be_written_is_one_clear_error(tmp_path):
    with pytest.raises(SinkError, match=r"cannot write .*demo\.png"):
        save_picture(Image.new("RGB", (4, 4)), tmp_path / "absent" / "demo.png", mark="x")


def test_other_records_are_no_findings(first_run):
    for changed in ({"stream": "other"}, {"session": "0" * 12}, {"model": "dinov2_vits14"}):
        assert read_findings(replace(first_run.footage, **changed)).shots == ()
