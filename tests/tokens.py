"""Tokens of an issuer as OAuth has them (JWT, RS256), signed with openssl."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path

AUDIENCE = "kafka"


class Issuer:
    """Signs tokens with a key of its own."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder. `keys` in it is what a broker checks signatures by (JWKS)."""
        folder.mkdir()
        self._key, self.keys = folder / "issuer.key", folder / "jwks.json"
        _openssl("genrsa -out", self._key, "2048")
        told = _openssl("rsa -noout -modulus -in", self._key).decode()
        modulus = bytes.fromhex(told.strip().partition("=")[2])
        public = {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "e": "AQAB"}
        self.keys.write_text(json.dumps({"keys": [public | {"n": _encoded(modulus)}]}))

    def token(self, seconds: float, *, audience: str = AUDIENCE) -> str:
        """One that is good from a minute ago on for so many seconds from now; expired where that is
        negative."""
        now = int(time.time())
        claims = {"sub": "dinostream", "aud": audience, "iat": now - 60, "exp": now + seconds}
        head = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        signature = _openssl("dgst -sha256 -sign", self._key, given=signed.encode())
        return f"{signed}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(words: str, *more: str | Path, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *words.split(), *more], input=given, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
