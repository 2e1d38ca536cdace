"""Where a service may listen, and the names it is called by."""

import re

import pytest

from operators.errors import UsageError
from pipeline.web.place import Place, parse_place

TOKEN = "a-token-of-some-length"


@pytest.mark.parametrize(
    ("text", "token", "why"),
    [
        ("8600", "", "--listen takes HOST:PORT, such as 127.0.0.1:8600; got '8600'"),
        ("127.0.0.1:http", "", "--listen takes HOST:PORT"),
        ("127.0.0.1:70000", "", "--listen takes HOST:PORT"),
        ("0.0.0.0:8600", "", "needs a token: set DINOSTREAM_TOKEN"),
        ("[::]:8600", "", "needs a token"),
        ("127.0.0.1:8600", "xyzzy", "has 5 characters, want 16 or more"),
    ],
)
def test_a_place_that_cannot_be_is_refused(text, token, why) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        parse_place(text, {"DINOSTREAM_TOKEN": token} if token else {})


def test_a_place_is_loopback_or_has_a_token() -> None:
    assert parse_place("localhost:1", {}).loopback
    assert parse_place("[::1]:8600", {}).url == "http://[::1]:8600"
    assert parse_place("0.0.0.0:8600", {"DINOSTREAM_TOKEN": TOKEN}).token == TOKEN


def test_it_is_called_by_names_of_loopback_its_own_and_those_that_are_allowed() -> None:
    place = parse_place("[::1]:8600", {}, allowed=["Cams.Example.com", "[fd00::7]"])
    for name in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "cams.example.com", "fd00::7"):
        assert place.is_called(name), name
    for name in ("evil.example", "localhost.evil.example", "10.0.0.7", "example.com", ""):
        assert not place.is_called(name), name
    assert Place("Gate.lan", 8600, TOKEN).is_called("gate.lan")


@pytest.mark.parametrize("name", ["https://cams.example.com", "cams:8600", "*", "", "a b", "a..b"])
def test_an_allowed_name_is_a_name_and_no_address(name) -> None:
    with pytest.raises(UsageError, match="--allow-host takes the name of a host without scheme"):
        parse_place("127.0.0.1:8600", {}, allowed=[name])
