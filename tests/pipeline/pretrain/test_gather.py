"""Sources become one corpus, whatever happens on the way, and what is lost is told."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from operators.errors import DinostreamError, UsageError
from pipeline.pretrain import gather as module
from pipeline.pretrain.corpus import MANIFEST

SCENE = "synthetic:yard?seed=1&seconds=3&fps=5&size=96x64"


class Killed(Exception):
    """As if the process had ended here."""


def files_of(folder):
    """What lies in a corpus's folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def photos(tmp_path, small_picture):
    for number in range(3):
        small_picture(tmp_path / f"photos/{number}.png", "noise", number)
        small_picture(tmp_path / f"photos/inner/{number}.png", "bright", number)
    return tmp_path / "photos"


def test_pictures_are_read_where_they_lie(gathered, photos, tmp_path):
    done = gathered(tmp_path / "corpus", photos, keep_copies=True)
    assert sorted(files_of(tmp_path / "corpus")) == ["corpus.json", "manifest.jsonl"]
    assert [one.path for one in done.corpus.pictures] == sorted(map(str, photos.rglob("*.png")))
    for one in done.corpus.pictures:
        data = (photos / one.path).read_bytes()
        assert (one.size_bytes, one.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert (one.session, one.position, one.time_us) == ("", "", None)
    assert {one.stream for one in done.corpus.pictures} == {str(photos), str(photos / "inner")}
    assert (done.report.sources, done.report.pictures, done.report.troubles) == (6, 6, ())


def test_of_a_scene_come_frames_as_jpegs_with_their_names(gathered, tmp_path):
    folder = tmp_path / "corpus"
    done = gathered(folder, SCENE, fps=5.0, every_s=1.0, side=32, keep_copies=True)
    assert [one.time_us for one in done.corpus.pictures] == [400_000, 1_400_000, 2_400_000]
    for number, one in enumerate(done.corpus.pictures):
        assert one.path == f"{one.stream}-{one.session}-{one.position}.jpg"
        assert one.stream == "yard-1"
        with Image.open(folder / one.path) as image:
            assert (image.format, image.size) == ("JPEG", (48, 32))
            assert np.array_equal(done.corpus.picture(number), np.asarray(image))
    assert done.report.frames == 15


@pytest.mark.slow
def test_films_give_a_frame_of_each_shot_and_copies_are_left_out(gathered, small_clip, tmp_path):
    small_clip(tmp_path / "films/one.mp4", "bars", "dark", "bright")
    small_clip(tmp_path / "films/two.mp4", "dark", "rows", number=9)
    (tmp_path / "films/torn.mp4").write_bytes(b"no film")
    folder = tmp_path / "corpus"
    done = gathered(folder, tmp_path / "films", fps=5.0)
    found = [(one.stream, one.time_us) for one in done.corpus.pictures]
    assert found[:3] == [("one.mp4", 800_000), ("one.mp4", 2_800_000), ("one.mp4", 4_800_000)]
    report = done.report
    assert (report.sources, report.frames, report.shots, report.candidates) == (3, 100, 5, 5)
    assert report.copies == 5 - len(found) >= 1, "a dark picture is like another one"
    ((source, why),) = report.troubles
    assert source.endswith("torn.mp4")
    assert "cannot be opened" in why
    jpegs = sorted(name for name in files_of(folder) if name.endswith(".jpg"))
    assert jpegs == sorted(one.path for one in done.corpus.pictures)


def test_unreadable_pictures_are_counted_and_told(gathered, photos, tmp_path):
    (photos / "torn.png").write_bytes((photos / "0.png").read_bytes()[:300])
    (photos / "text.jpg").write_text("no picture")
    done = gathered(tmp_path / "corpus", photos, keep_copies=True)
    assert done.report.sources == 8
    assert done.report.pictures == 6
    assert [source for source, _ in done.report.troubles] == [
        str(photos / "text.jpg"),
        str(photos / "torn.png"),
    ]
    assert all(why.startswith("unreadable, ") for _, why in done.report.troubles)


def test_where_nothing_can_be_read_the_first_trouble_is_told(gathered, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/text.jpg").write_text("no picture")
    with pytest.raises(DinostreamError, match=r"none of 1 sources gives .*text\.jpg: unreadable"):
        gathered(tmp_path / "corpus", tmp_path / "photos")


@pytest.mark.parametrize("threads", [1, 3])
def test_a_command_that_is_killed_anywhere_goes_on(
    gathered, photos, tmp_path, monkeypatch, threads
):
    sources, rules = (SCENE, photos), {"every_s": 1.0, "side": 32}
    whole = gathered(tmp_path / "whole", *sources, **rules)
    finds, calls = module.found_in_file, []

    def counted(path):
        calls.append(path)
        return finds(path)

    monkeypatch.setattr(module, "found_in_file", counted)
    folder, add = tmp_path / "corpus", module.Journal.add
    for after in (1, 3):

        def dying(journal, found, left=after):
            if len(journal.found) == left:
                raise Killed
            add(journal, found)

        with monkeypatch.context() as patch:
            patch.setattr(module.Journal, "add", dying)
            with pytest.raises(Killed):
                gathered(folder, *sources, threads=threads, **rules)
    calls.clear()
    done = gathered(folder, *sources, threads=threads, **rules)
    assert len(calls) == 4, "the scene and two pictures were done"
    assert done.corpus.identity == whole.corpus.identity
    assert files_of(folder) == files_of(tmp_path / "whole")


def test_a_whole_corpus_is_opened_and_its_sources_are_not_looked_at(
    gathered, photos, tmp_path, monkeypatch
):
    first = gathered(tmp_path / "corpus", photos)
    photos.rename(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    again = gathered(tmp_path / "corpus", "photos")
    assert again.corpus.identity == first.corpus.identity
    assert again.report == first.report


def test_other_wishes_are_refused_by_name(gathered, photos, tmp_path):
    gathered(tmp_path / "corpus", photos)
    with pytest.raises(UsageError, match=r"a corpus of other every_s, near_levels; give"):
        gathered(tmp_path / "corpus", photos, every_s=3.0, keep_copies=True)
    with pytest.raises(UsageError, match=r"a corpus of other sources"):
        gathered(tmp_path / "corpus", photos / "inner")


def test_how_far_it_is_is_told(gathered, photos, tmp_path):
    told = []
    gathered(
        tmp_path / "corpus", SCENE, photos, tell=lambda share, so_far: told.append((share, so_far))
    )
    assert told[0] == (0.0, "0 of 1 recordings, 0 pictures")
    assert told[-1] == (0.0, "0 of 6 picture files")
    shares = [share for share, so_far in told if "recordings" in so_far]
    assert shares == sorted(shares)


def test_a_line_of_the_manifest(gathered, photos, tmp_path):
    gathered(tmp_path / "corpus", photos)
    line = json.loads((tmp_path / "corpus" / MANIFEST).read_text().splitlines()[0])
    assert sorted(line) == [
        *("path", "position", "session", "sha256", "size_bytes", "stream", "time_us"),
    ]


@pytest.mark.slow
def test_real_films_give_pictures(gathered, shared_media, tmp_path):
    names = ("sample_h265.ts", "video_90.mov", "test_non_zero_start.mp4")
    films = [shared_media / "videos" / name for name in names]
    done = gathered(tmp_path / "corpus", *films, every_s=2.0)
    assert {one.stream for one in done.corpus.pictures} <= set(names)
    assert len(done.corpus) >= 2
    for number in range(len(done.corpus)):
        assert min(done.corpus.picture(number).shape[:2]) <= 448
