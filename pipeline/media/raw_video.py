"""RGB frames as they are -> NUT, a container that is read from its beginning.

Lossless, and with a clock: Matroska takes no RGB, nor keeps microseconds.
"""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from numpy.typing import NDArray

from operators.moment import rfc3339

CONTENT_TYPE = "video/x-nut"
_MICROSECOND = Fraction(1, 1_000_000)
_BUFFER_BYTES = 1 << 20  # libav hands over as much at a time


class RawVideo:
    """One stream of frames of one size. Timestamps are microseconds since the epoch."""

    def __init__(self, size_hw: tuple[int, int], began_us: int) -> None:
        """
        Args:
            size_hw: of its frames, pixels.
            began_us: the first frame's time, which the header tells as `creation_time`.
        """
        self._written = BytesIO()
        # Syncpoints and an index are for who seeks, and libav's reader keeps every syncpoint: at 30
        # frames/s they fill a decoder's memory within two days. Without is experimental.
        options = {
            "flush_packets": "1",
            "write_index": "0",
            "syncpoints": "none",
            "strict": "experimental",
        }
        self._container = av.open(
            self._written, "w", format="nut", buffer_size=_BUFFER_BYTES, options=options
        )
        self._container.metadata["creation_time"] = rfc3339(began_us)
        height, width = size_hw
        self._stream = self._container.add_stream(
            "rawvideo", width=width, height=height, pix_fmt="rgb24", time_base=_MICROSECOND
        )

    def packed(self, pixels: NDArray[np.uint8], time_us: int) -> bytes:
        """The bytes of the next frame, behind the header where it is the first.

        Args:
            pixels: RGB `[H, W, 3]`.
            time_us: later than that of the frame before.
        """
        packet = av.Packet(pixels.tobytes())
        packet.stream = self._stream
        packet.pts = packet.dts = time_us
        packet.time_base = _MICROSECOND
        packet.is_keyframe = True
        self._container.mux(packet)
        data = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return data
