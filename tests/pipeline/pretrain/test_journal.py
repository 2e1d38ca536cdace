"""What was written is found again, whatever a kill has cut off; other wishes are refused."""

from contextlib import closing

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.features.taking import Counted
from pipeline.pretrain.found import Found
from pipeline.pretrain.journal import Journal
from pipeline.pretrain.picture import Picture

ASKED = {"sources": ["/films"], "fps": 2.0}
TINY = np.arange(192, dtype=np.uint8)
FILM = Found(
    "film.mp4",
    "/films/film.mp4",
    (Picture("film.mp4-x-0.jpg", 7, "ab", "film.mp4", "x", "0", 33_000),),
    (TINY,),
    "degraded, 3 frames lost",
    Counted(decoded=20, looked_at=4, shots=1, lost=3),
)
PHOTO = Found("/a/b.png", "/a/b.png", (Picture("/a/b.png", 5, "cd", "/a"),), (TINY[::-1],))


def same(one, other):
    return one.to_json() == other.to_json()


def test_what_was_added_is_there_again(tmp_path):
    with closing(Journal(tmp_path / "journal", ASKED)) as journal:
        journal.add(FILM)
        journal.add(PHOTO)
    with closing(Journal(tmp_path / "journal", ASKED)) as journal:
        assert list(journal.found) == ["film.mp4", "/a/b.png"]
        assert same(journal.found["film.mp4"], FILM)
        assert same(journal.found["/a/b.png"], PHOTO)
        assert journal.found["film.mp4"].tinies[0].tolist() == TINY.tolist()


def test_a_line_that_was_cut_off_is_written_again(tmp_path):
    path = tmp_path / "journal"
    with closing(Journal(path, ASKED)) as journal:
        journal.add(FILM)
        whole = path.read_bytes()
        journal.add(PHOTO)
    both = path.read_bytes()
    for cut in range(len(whole) + 1, len(both), 40):
        path.write_bytes(both[:cut])
        with closing(Journal(path, ASKED)) as journal:
            assert list(journal.found) == ["film.mp4"]
            journal.add(PHOTO)
        assert path.read_bytes() == both


def test_a_journal_of_something_else_is_refused(tmp_path):
    Journal(tmp_path / "journal", ASKED).close()
    with pytest.raises(UsageError, match="beginning of a corpus of other sources or settings"):
        Journal(tmp_path / "journal", {**ASKED, "fps": 5.0})
