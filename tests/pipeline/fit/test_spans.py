"""Labels of recordings: from folders, from a CSV; what is wrong with them is named."""

from __future__ import annotations

import math

import pytest

from operators.errors import UsageError
from pipeline.fit.spans import Span, clips_in_folders, label_names, spans_of_csv


@pytest.fixture
def clips(tmp_path):
    """Two classes of empty files, one of them deeper."""
    for name in ("wave/a.mp4", "wave/day 2/b.mkv", "walk/c.MP4", "walk/.hidden.mp4", "walk/n.txt"):
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "clips"


def test_a_folder_per_class(clips):
    found = clips_in_folders(str(clips))
    assert [(one.name.removeprefix(f"{clips}/"), one.spans) for one in found] == [
        ("walk/c.MP4", (Span(0.0, math.inf, "walk"),)),
        ("wave/a.mp4", (Span(0.0, math.inf, "wave"),)),
        ("wave/day 2/b.mkv", (Span(0.0, math.inf, "wave"),)),
    ]
    assert label_names(found, background=False) == ("walk", "wave")


def test_what_a_file_server_keeps_beside_them_is_no_class(clips):
    (clips / "@eaDir").mkdir()
    assert {one.spans[0].label for one in clips_in_folders(str(clips))} == {"walk", "wave"}


def test_a_glob_takes_the_folder_that_a_file_lies_in(clips):
    found = clips_in_folders(f"{clips}/*/*.[mM][pP]4")
    assert {one.spans[0].label for one in found} == {"walk", "wave"}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda clips: (clips / "run").mkdir(), "classes without a single example: run"),
        (lambda clips: (clips / "x.mp4").write_bytes(b"x"), "in no class's folder: x.mp4"),
        (lambda clips: (clips / "walk/c.MP4").rename(clips / "wave/c.mp4"), "example: walk"),
        (
            lambda clips: (clips / "walk").rename(clips / "w\udce9"),
            r"'w\\udce9' is no UTF-8; rename",
        ),
    ],
)
def test_folders_that_do_not_do(clips, prepare, why):
    prepare(clips)
    with pytest.raises(UsageError, match=why):
        clips_in_folders(str(clips))


def test_places_that_do_not_do(clips, tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        clips_in_folders(str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"needs two or more, got wave"):
        clips_in_folders(f"{clips}/wave/*.mp4")


@pytest.fixture
def listed(tmp_path):
    """`listed("a.mp4,1,2,wave")`: the spans of a CSV with these lines."""
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"x")

    def read(*lines, head="file,start,end,label", files=True):
        path = tmp_path / "spans.csv"
        path.write_text("\n".join([head, *lines]))
        return spans_of_csv(path, files=files)

    return read


def test_times_are_seconds_or_clock_times_and_may_be_left_out(listed, tmp_path):
    (one, other) = listed("a.mp4, 1:02.5, 1:00:00, wave", "b.mp4,,,walk", "a.mp4,0,2.5,walk")
    assert one.name == str(tmp_path / "a.mp4")
    assert one.spans == (Span(0.0, 2.5, "walk", 4), Span(62.5, 3600.0, "wave", 2))
    assert other.spans == (Span(0.0, math.inf, "walk", 3),)
    assert label_names((one, other), background=True) == ("background", "walk", "wave")


def test_columns_in_any_order_and_names_of_streams(listed):
    (one,) = listed("wave,door-1,5,9", head="label,file,start,end", files=False)
    assert (one.name, one.spans) == ("door-1", (Span(5.0, 9.0, "wave", 2),))


@pytest.mark.parametrize(
    ("head", "line", "why"),
    [
        ("file,start,end,lable", "", "unknown column 'lable'; did you mean label?"),
        ("file,start,end,label,x", "", "unknown column 'x' Its first line is"),
        ("file,start,label", "", "no column end; its first line is file,start,end,label"),
        (None, "", "it lists no span"),
        (None, "a.mp4,1,2", "line 2: want 4 cells"),
        (None, "a.mp4,1,2,wave,5", "line 2: want 4 cells"),
        (None, "a.mp4,1,2,", "line 2: file and label must not be empty"),
        (None, "a.mp4,2,1,wave", "line 2: start 2 must come before end 1"),
        (None, "a.mp4,soon,1,wave", "line 2: 'soon' is no time"),
        (None, "a.mp4,-1,1,wave", "line 2: '-1' is no time"),
        (None, "a.mp4,nan,1,wave", "line 2: 'nan' is no time"),
        (None, "c.mp4,1,2,wave", r"line 2: no such file: .*c\.mp4"),
        (None, "a.mp4,1,3,wave\na.mp4,2,4,walk", "lines 2 and 3: wave and walk overlap in"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(listed, head, line, why):
    with pytest.raises(UsageError, match=why):
        listed(line, **({"head": head} if head else {}))


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "spans.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"spans\.csv: cannot be read"):
        spans_of_csv(path)
    with pytest.raises(UsageError, match=r"nowhere\.csv: cannot be read"):
        spans_of_csv(tmp_path / "nowhere.csv")
