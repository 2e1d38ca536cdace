"""An exception as text for whoever has to find its cause: what, and the code that it came through.

The same failure gives the same text in every run, process and checkout: code is named by module,
line and function, never by a path, and no address of an object is told. Secrets are masked.
"""

from __future__ import annotations

import linecache
import re
import traceback
from collections import deque
from types import CodeType, TracebackType
from typing import Any

from pipeline.secrets import mask

DETAIL_CHARS = 500  # an exception's text may be of any length
TRACE_CHARS = 2000
FRAMES = 8  # of each exception; a recursion has thousands
CAUSES = 4

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def detail(error: BaseException) -> str:
    """What an exception says, at most DETAIL_CHARS."""
    try:
        text = str(error)
    except Exception as broken:
        text = f"(its text cannot be had: {type(broken).__name__})"
    return _clean(text)[:DETAIL_CHARS]


def trace(error: BaseException) -> str:
    """Where an exception came from, the innermost call last; "" for one that was never raised.

    What caused it stands before it. The call that caught it is left out. At most TRACE_CHARS, the
    end of it where it is longer.
    """
    chain = [error]
    while (cause := _cause(chain[-1])) is not None and len(chain) < CAUSES:
        chain.append(cause)
    lines = [line for one in reversed(chain[1:]) for line in (*_calls(one, skip=0), _said(one))]
    lines += _calls(error, skip=1)
    return "\n".join(lines)[-TRACE_CHARS:]


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {detail(error)}"


def _calls(error: BaseException, *, skip: int) -> list[str]:
    within: TracebackType | None = error.__traceback__
    for _ in range(skip):
        within = within.tb_next if within else None
    innermost = deque(traceback.walk_tb(within), maxlen=FRAMES)
    return [_clean(_call(frame.f_code, frame.f_globals, line)) for frame, line in innermost]


def _call(code: CodeType, names: dict[str, Any], line: int) -> str:
    source = linecache.getline(code.co_filename, line, names).strip()
    where = f"{names.get('__name__', '?')}:{line} {code.co_qualname}"
    return f"{where}: {source}" if source else where


def _clean(text: str) -> str:
    return _ADDRESS.sub("0x...", mask(text))
