"""What is kept for another look, and what goes first."""

from pipeline.view.album import Album


def test_what_nobody_has_looked_at_longest_goes_first() -> None:
    album = Album(10)
    for key in ("a", "b", "c"):
        album.put(key, b"123")
    assert album.get("a") == b"123"
    album.put("d", b"123")
    assert [album.get(key) is not None for key in "abcd"] == [True, False, True, True]


def test_what_is_put_anew_takes_its_own_room_alone() -> None:
    album = Album(10)
    album.put("a", b"12345")
    album.put("b", b"12345")
    album.put("a", b"54321")
    assert (album.get("a"), album.get("b")) == (b"54321", b"12345")


def test_one_that_is_larger_than_all_the_room_stays_until_the_next() -> None:
    album = Album(3)
    album.put("a", b"12345")
    assert album.get("a") == b"12345"
    album.put("b", b"1")
    assert (album.get("a"), album.get("b")) == (None, b"1")
