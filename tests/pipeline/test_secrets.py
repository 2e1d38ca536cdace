"""No password survives, in whatever form a library quotes it."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode

import pytest

from pipeline import secrets


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", {})


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


@pytest.mark.parametrize(
    "form",
    [
        "ge/h#e m'\"é",
        "ge%2Fh%23e%20m%27%22%C3%A9",
        "ge%2fh%23e%20m%27%22%c3%a9",
        "ge/h%23e%20m%27%22%C3%A9",
        "ge%2Fh%23e+m%27%22%C3%A9",
        json.dumps("ge/h#e m'\"é"),
        repr("ge/h#e m'\"é"),
        b64encode("ge/h#e m'\"é".encode()).decode(),
        urlsafe_b64encode("ge/h#e m'\"é".encode()).decode(),
        "Basic " + b64encode("admin:ge/h#e m'\"é".encode()).decode(),
    ],
)
def test_every_form_that_a_program_gives_a_secret_is_masked(form: str) -> None:
    secrets.remember_url("rtsp://admin:ge%2Fh%23e%20m%27%22%C3%A9@camera/1")
    told = secrets.mask(f"it says <{form}>")
    assert "***" in told
    assert re.sub(r"[^A-Za-z0-9]", "", told) in ("itsays", "itsaysBasic")


def test_what_is_forgotten_is_shown_again() -> None:
    secrets.remember("first-t0ken", "second-t0ken")
    secrets.forget("first-t0ken")
    assert secrets.mask("first-t0ken second-t0ken") == "first-t0ken ***"


def test_secrets_of_the_environment() -> None:
    environ = {
        "GATE_PASSWORD": "geheim/nis",
        "AWS_SECRET_ACCESS_KEY": "k3y-of-the-house",
        "YARD_URL": "rtsp://viewer:pa55word@yard/1",
        "HTTPS_PROXY": "http://me:pr0xy-word@proxy:3128",
        "RAY_AUTH_MODE": "token",
        "DB_PASSWORD_FILE": "/run/secrets/db",
        "PATH": "/usr/bin",
        "HOME_URL": "http://camera.example/1",
    }
    secrets.remember_environment(environ)
    told = secrets.mask(" ".join(environ.values()))
    assert told == (
        "*** *** rtsp://viewer:***@yard/1 http://me:***@proxy:3128 token /run/secrets/db /usr/bin "
        "http://camera.example/1"
    )
    kept = {"HTTPS_PROXY", "DB_PASSWORD_FILE", "PATH", "HOME_URL"}
    assert secrets.without_secrets(environ).keys() == kept


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("AZURE_STORAGE_KEY", "c3RvcmFnZQ==", "c3RvcmFnZQ=="),
        ("STORAGE_ACCOUNT_KEY", "YWNjb3VudA==", "YWNjb3VudA=="),
        ("PRIVATE_KEY", "-----BEGIN KEY-----\nMIIEvQ", "-----BEGIN KEY-----\nMIIEvQ"),
        ("GITHUB_PAT", "github_pat_11AAA", "github_pat_11AAA"),
        ("CAMPASS", "p4ss-of-the-cam", "p4ss-of-the-cam"),
        ("STORAGE", "AccountName=me;AccountKey=bXlrZXk4;EndpointSuffix=x", "bXlrZXk4"),
        ("BUS", "Endpoint=sb://b/;SharedAccessKey=c2hhcmVk==", "c2hhcmVk=="),
        ("DSN", "host=db user=me password='pa55 word' port=5432", "pa55 word"),
        ("ODBC", "Driver={x};Uid=me;Pwd=pa55word;", "pa55word"),
    ],
)
def test_no_secret_of_the_environment_gets_to_a_decoder(name: str, value: str, secret: str) -> None:
    assert secrets.without_secrets({name: value}) == {}
    secrets.remember_environment({name: value})
    assert secrets.mask(f"<{secret}>") == "<***>"


def test_what_only_looks_like_a_secret_stays() -> None:
    environ = {"COMPASS": "north-west", "BYPASS": "10.0.0.0/8", "PATH": "/opt/pat:/bin"}
    environ |= {"KEYBOARD": "qwertyuiop", "LS_COLORS": "rs=0:di=01;34:ln=01;36", "PATCH": "1234"}
    assert secrets.without_secrets(environ) == environ
    secrets.remember_environment(environ)
    text = " ".join(environ.values())
    assert secrets.mask(text) == text


def test_tokens_are_known_by_their_shape() -> None:
    assert secrets.mask("Bearer eyJhbGciOiJub25l.eyJzdWIiOiJtZSJ9.c2ln!") == "Bearer ***!"


def test_a_file_that_holds_a_secret_is_none() -> None:
    values = {"sasl_oauth_token_file": "/run/token", "token": "t0ken"}
    assert secrets.mask_values(values) == {"sasl_oauth_token_file": "/run/token", "token": "***"}


def test_the_longer_secret_first() -> None:
    secrets.remember("geheim", "geheimnis")
    assert secrets.mask("geheimnis geheim") == "*** ***"


def test_of_secrets_that_overlap_nothing_is_left() -> None:
    secrets.remember("abcdef", "defghijk")
    assert secrets.mask("is it abcdefghijk, or abcdefabcdef?") == "is it ***, or ******?"


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
