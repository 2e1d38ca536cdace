"""libav's `open`, the same whichever version of PyAV is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from av.container import InputContainer

# Up to PyAV 18 a tag that is not UTF-8 is an error unless one says otherwise; then nobody can.
open_container: Callable[..., InputContainer] = (
    partial(av.open, metadata_errors="replace") if av.__version__ < "19" else av.open
)
