"""Certificates that tests need: by an authority of their own, made with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Files in PEM. Attributes: crt: what others see; key; both: the two in one file."""

    crt: Path
    key: Path

    @property
    def both(self) -> Path:
        return self.crt.with_suffix(".pem")


class Authority:
    """Signs what whoever trusts its `crt` believes."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder, and itself in it."""
        folder.mkdir()
        self.folder = folder
        self.crt, self._key = folder / "ca.crt", folder / "ca.key"
        _openssl("req -x509 -days 2 -subj /CN=authority", *_fresh(self._key), "-out", self.crt)

    def certify(self, name: str, *, days: int = 2) -> Certificate:
        """A key and its certificate for `localhost`; with a negative number of days one that has
        expired."""
        made = Certificate(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        request, names = self.folder / f"{name}.csr", self.folder / "names"
        names.write_text("subjectAltName=DNS:localhost\n")
        _openssl("req", "-subj", f"/CN={name}", *_fresh(made.key), "-out", request)
        signer = ["-CA", self.crt, "-CAkey", self._key, "-extfile", names, "-days", str(days)]
        _openssl("x509 -req", "-in", request, *signer, "-out", made.crt)
        made.both.write_bytes(made.key.read_bytes() + made.crt.read_bytes())
        return made


def _fresh(key: Path) -> list[str | Path]:
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"]
    return ["-newkey", "ec", *curve, "-nodes", "-keyout", key]


def _openssl(words: str, *more: str | Path) -> None:
    done = subprocess.run(["openssl", *words.split(), *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
