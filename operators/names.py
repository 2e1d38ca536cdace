"""Operators by the names that users give them: built-in ones, and `package.module:Class`.

A name in -> known or not. Must not import what computes it, so that a typo costs nothing.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from difflib import get_close_matches

from operators.errors import UsageError
from operators.format import BUILT_IN

WITHOUT_HEAD = ("embedding", "pca", "frames", "zones", "track", "tamper")


def is_own(name: str) -> bool:
    """The user's own class."""
    return ":" in name


def has_head(name: str) -> bool:
    """It reads a trained head."""
    return not is_own(name) and name not in WITHOUT_HEAD


def check_name(name: str) -> None:
    """
    Raises:
        UsageError: no built-in operator is called so; the text offers the nearest one.
    """
    if not is_own(name) and name not in BUILT_IN:
        near = get_close_matches(name, BUILT_IN, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ";"
        raise UsageError(
            f"unknown operator {name!r}{hint} operators: {', '.join(BUILT_IN)}, "
            "or package.module:Class for your own"
        )


def check_own(name: str) -> None:
    """Look for the package of the user's own class, without importing it.

    Raises:
        UsageError: nobody has it.
    """
    look_here()
    package = name.partition(":")[0].partition(".")[0]
    try:
        found = package in sys.modules or importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # no name of a module
        found = False
    if not found:
        raise no_module(name, f"No module named {package!r}")


def look_here() -> None:
    """Have modules found in the current folder, as `python -m` and Ray's workers do: last of all,
    so that it hides nothing."""
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.append(os.getcwd())


def no_module(name: str, why: str) -> UsageError:
    """An operator's module cannot be imported."""
    module = name.partition(":")[0]
    return UsageError(
        f"operator {name}: cannot import {module!r} ({why}); is it in the current folder, "
        f"{os.getcwd()}, or on PYTHONPATH?"
    )
