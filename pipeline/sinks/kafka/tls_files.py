"""Whether the files of a TLS connection are what they are said to be, before anything connects.

A client would find out at every connection, and say `PEM lib`.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from operators.errors import UsageError


def require_tls_files(options: Mapping[str, Any]) -> None:
    """
    Args:
        options: the sink's settings; their files can be read.

    Raises:
        UsageError: a file is no PEM of its kind, or certificate, key and password do not belong
            together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, what in (("ssl_cafile", "certificate"), ("ssl_crlfile", "list of revocations")):
        if name in options:
            try:
                context.load_verify_locations(options[name])
            except ssl.SSLError:
                raise UsageError(
                    f"sink setting {name} is {options[name]}, which holds no {what} in PEM"
                ) from None
    if "ssl_certfile" in options:
        _require_pair(context, options)


def _require_pair(context: ssl.SSLContext, options: Mapping[str, Any]) -> None:
    certificate, key = options["ssl_certfile"], options.get("ssl_keyfile")
    try:  # without a password OpenSSL would ask whoever sits at the terminal
        context.load_cert_chain(certificate, key, options.get("ssl_password", ""))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(
                f"sink setting ssl_keyfile is {key}, which is not the key of {certificate}"
            ) from None
        raise UsageError(
            f"sink setting ssl_certfile is {certificate}; no certificate with its key can be read "
            f"from there{f' and {key}' if key else ''}: both in PEM, and where the key is "
            "encrypted, ssl_password has to open it"
        ) from None
