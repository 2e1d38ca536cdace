"""The file that a login takes its token from."""

from __future__ import annotations

import pytest

from pipeline.secrets import mask
from pipeline.sinks.kafka.token_file import TokenError, TokenFile
from tests.tokens import Issuer


def test_it_is_read_at_every_login_and_what_it_held_is_masked(tmp_path):
    path = tmp_path / "token"
    provider = TokenFile(path)
    for token in ("first-t0ken", "second.t0ken~+/=="):
        path.write_text(f" {token}\n")
        assert provider.token() == token
        assert mask(f"it was {token}") == "it was ***"
    assert mask("first-t0ken") == "first-t0ken", "whoever renews for a year is not remembered"


@pytest.mark.parametrize(
    "held", [b"", b" \n", b"two tokens", b"a\x01auth=Bearer b", "tökén".encode(), b"\xff\xfe"]
)
def test_what_is_no_token_is_not_sent(held, tmp_path):
    path = tmp_path / "token"
    path.write_bytes(held)
    with pytest.raises(TokenError, match=r"holds no token; it must be one alone, of A-Z"):
        TokenFile(path).token()


def test_a_file_that_is_gone_is_said(tmp_path):
    with pytest.raises(TokenError, match="token cannot be read: No such file"):
        TokenFile(tmp_path / "token").token()


def test_its_age_is_told_where_it_tells_it(tmp_path):
    path, issuer = tmp_path / "token", Issuer(tmp_path / "issuer")
    provider = TokenFile(path)
    for token, words in (
        (issuer.token(60), "is good until 20"),
        (issuer.token(-60), "expired 20"),
        ("opaque", ""),
        ("a.b.c", ""),
        ("a.e30.c", ""),
        ("a.bnVsbA.c", ""),
    ):
        path.write_text(token)
        provider.token()
        assert words in provider.age
        assert bool(provider.age) is bool(words)
