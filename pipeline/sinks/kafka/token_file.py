"""The token of an OAUTHBEARER login, from a file that somebody else renews.

Path in -> what the file holds whenever kafka-python asks: at every login, and when the broker wants
another one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from pathlib import Path

from kafka.errors import KafkaError
from kafka.net.sasl.oauth import AbstractTokenProvider

from pipeline.secrets import forget, remember

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # as RFC 6750 has it


class TokenError(KafkaError):  # type: ignore[misc]  # kafka-python has no types
    """There is no token to log in with."""

    retriable = True  # whoever renews it may be about to


class TokenFile(AbstractTokenProvider):  # type: ignore[misc]
    """A file with one token and nothing else but blanks around it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._token = ""

    def token(self) -> str:
        """What the file holds now; masked from here on, instead of what it held before.

        Raises:
            TokenError: it cannot be read, or holds no token.
        """
        try:
            found = self._path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise TokenError(f"{self._path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            found = ""
        if not _TOKEN.fullmatch(found):
            raise TokenError(
                f"{self._path} holds no token; it must be one alone, of A-Z a-z 0-9 . _ ~ + / - ="
            )
        if found != self._token:
            remember(found)
            forget(self._token)
            self._token = found
        return found

    @property
    def age(self) -> str:
        """When the last token expires or expired, by this machine's clock; "" where nobody but its
        issuer can tell."""
        try:
            payload = self._token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            moment = datetime.fromtimestamp(claims["exp"], UTC)
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, binascii.Error):
            return ""
        word = "expired" if moment < datetime.now(UTC) else "is good until"
        return f"the token in {self._path} {word} {moment:%Y-%m-%dT%H:%M:%SZ}"
