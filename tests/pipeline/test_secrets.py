"""No password survives, in whatever form a library quotes it."""

from __future__ import annotations

import pytest

from pipeline import secrets


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("rtsp://admin:pw@camera/1", "rtsp://admin:***@camera/1"),
        ("rtsp://admin:p@ss@camera/1", "rtsp://admin:***@camera/1"),
        ("see 'rtsp://a:b@c/1' and http://d:e@f", "see 'rtsp://a:***@c/1' and http://d:***@f"),
        ("rtsp://admin@camera/1", "rtsp://admin@camera/1"),
        ("rtsp://camera/1?x=1&token=abc&y=2", "rtsp://camera/1?x=1&token=***&y=2"),
        ("http://h/p?api_key=abc", "http://h/p?api_key=***"),
        ("srt://h:9000?passphrase=0123456789", "srt://h:9000?passphrase=***"),
        ("nothing at all: a@b", "nothing at all: a@b"),
        ("/videos/a:b@c.mp4", "/videos/a:b@c.mp4"),
    ],
)
def test_urls(text: str, masked: str) -> None:
    assert secrets.mask(text) == masked
    assert secrets.mask(masked) == masked


def test_a_remembered_value_is_replaced_wherever_and_however_it_stands() -> None:
    secrets.remember_url("rtsp://admin:geh%40im%21@camera/1?token=t0ken")
    text = "401 for geh%40im%21; decoded geh@im!; file:geh@im!; t0ken"
    assert secrets.mask(text) == "401 for ***; decoded ***; file:***; ***"


def test_the_longer_secret_first() -> None:
    secrets.remember("geheim", "geheimnis")
    assert secrets.mask("geheimnis geheim") == "*** ***"


def test_short_values_do_not_eat_the_text() -> None:
    secrets.remember_url("rtsp://a:b@camera")
    assert secrets.mask("a cab by rtsp://a:b@camera") == "a cab by rtsp://a:***@camera"


def test_configurations() -> None:
    values = {
        "sink": {
            "uri": "kafka://u:pw1@h",
            "settings": {"sasl_plain_password": "pw2", "acks": "all"},
        },
        "streams": [{"url": "rtsp://u:pw3@h"}],
        "count": 3,
        "nothing": None,
        "password": None,
        "compass": "north",
        "ssl_keyfile": "/etc/key.pem",
    }
    masked = secrets.mask_values(values)
    assert masked == {
        "sink": {
            "uri": "kafka://u:***@h",
            "settings": {"sasl_plain_password": "***", "acks": "all"},
        },
        "streams": [{"url": "rtsp://u:***@h"}],
        "count": 3,
        "nothing": None,
        "password": None,
        "compass": "north",
        "ssl_keyfile": "/etc/key.pem",
    }
    assert values["password"] is None
    assert "pw1" in str(values)


def test_a_url_that_cannot_be_parsed_is_still_masked() -> None:
    assert secrets.url_secrets("rtsp://a:geheim@[::1/x") == ("geheim",)
    assert "geheim" not in secrets.mask("rtsp://a:geheim@[::1/x")
