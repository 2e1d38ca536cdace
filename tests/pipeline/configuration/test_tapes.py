"""Tapes among what a user names: alone, in a folder, and never mixed with other videos."""

import pytest

from operators.errors import UsageError
from pipeline.configuration.sources import plan_recordings
from pipeline.media.tape import Taping, make_folder

SEGMENT = "1700000000000000-000001"


@pytest.fixture
def tapes(tmp_path):
    """A folder with the tapes of two streams, each of one segment."""
    folder = tmp_path / "tapes"
    for stream in ("gate", "yard"):
        tape = make_folder(Taping(str(folder), 1), stream)
        for ending in ("nut", "jsonl"):
            (tape / f"{SEGMENT}.{ending}").write_text(stream)
    return folder


def planned(*sources, **more):
    return [plan.stream for plan in plan_recordings([*map(str, sources)], **more)]


def test_a_folder_of_tapes_is_all_of_them(tapes):
    assert planned(tapes) == ["gate", "yard"]
    assert planned(tapes / "yard") == ["yard"]


@pytest.mark.parametrize("name", ["holiday.mp4", "old/holiday.mp4"])
def test_tapes_and_other_videos_are_not_guessed_at(tapes, name):
    (tapes / name).parent.mkdir(exist_ok=True)
    (tapes / name).write_text("x")
    with pytest.raises(UsageError, match=f"tapes and other videos, such as {name}"):
        planned(tapes)


def test_tapes_are_not_joined(tapes):
    for source in (tapes, tapes / "gate"):
        with pytest.raises(UsageError, match="join is of files"):
            planned(source, join=True)


def test_what_is_above_tapes_takes_no_segment_for_a_video(tapes, caplog):
    for source in (tapes.parent, tapes / "*", tapes / "*/*.nut"):
        with pytest.raises(UsageError, match="passed over"):
            planned(source)
    (tapes.parent / "a.mp4").write_text("x")
    assert planned(tapes.parent) == ["a.mp4"]
    assert "tapes, to be named themselves: 2 (tapes/gate, tapes/yard)" in caplog.text
    assert planned(tapes / "gate" / f"{SEGMENT}.nut") == [f"{SEGMENT}.nut"]
