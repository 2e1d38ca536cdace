"""AES-128 in CBC mode, as HLS wants it, by libav: no library of ours beside it."""

from __future__ import annotations

import os

import av

from pipeline.errors import SourceError

KEY_BYTES = 16


def decrypt(data: bytes, key: bytes, iv: bytes) -> bytes:
    """What `data` says, its padding (PKCS #7) taken off.

    Args:
        data: whole blocks of 16 bytes.
        key, iv: 16 bytes each.

    Raises:
        SourceError: not whole blocks, or a key of another length.
    """
    if len(key) != KEY_BYTES or not data or len(data) % KEY_BYTES:
        raise SourceError(f"cannot be decrypted: {len(data)} bytes with a key of {len(key)}")
    options = {"decryption_key": key.hex(), "decryption_iv": iv.hex()}
    fd = os.memfd_create("encrypted")
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(data)
        # The protocol reads a file of its own; the container `data` is its bytes in packets.
        url = f"crypto:file:/proc/self/fd/{fd}"
        with av.open(url, format="data", options=options) as container:
            return b"".join(bytes(packet) for packet in container.demux() if packet.size)
    except (av.FFmpegError, OSError):
        raise SourceError("cannot be decrypted") from None
    finally:
        os.close(fd)
