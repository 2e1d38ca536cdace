"""A condition on records that a person writes: `streamid == "gate" and data.percentiles["5"] < 2`.

Text -> a check of facts by name. The text is parsed as Python and walked by us: nothing of it is
ever run, and there is nothing to call.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from operators.errors import UsageError

EXAMPLE = 'streamid == "gate" and data.labels.name == "person"'
ALLOWED = "and, or, not, ==, !=, <, <=, >, >=, in, names, .name, [key], numbers, text, lists"
LONGEST = 500  # characters, and so parts of parts

_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
}
_OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {ast.NotEq: ast.Eq, ast.NotIn: ast.In}


class Condition:
    """What is not there is None: equal to None alone, and neither less nor more than anything. A
    list is compared by its members: one that holds is enough. Text beside a number counts as the
    number that it is, as attributes are text."""

    def __init__(self, text: str) -> None:
        """
        Raises:
            UsageError: it says something else than a condition may.
        """
        self._text = text
        try:
            if len(text) > LONGEST:
                raise ValueError(f"it has {len(text)} characters, allowed are {LONGEST}")
            self._tree = ast.parse(text.strip(), mode="eval").body
            self._require_allowed(self._tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise self._refused(str(error)) from None
        nodes = ast.walk(self._tree)
        self._unmet = {node.id for node in nodes if isinstance(node, ast.Name)}

    @property
    def unmet(self) -> list[str]:
        """Names that no record had so far."""
        return sorted(self._unmet)

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it does.

        Args:
            facts: JSON values by names.
        """
        self._unmet -= facts.keys()
        return bool(_value(self._tree, facts))

    def _require_allowed(self, tree: ast.expr) -> None:
        for node in ast.walk(tree):
            if not isinstance(node, _NODES) or isinstance(getattr(node, "value", None), _NO_JSON):
                shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
                raise ValueError(f"{shown} is not allowed")

    def _refused(self, why: str) -> UsageError:
        return UsageError(
            f"condition {self._text[:200]!r}: {why}. Write one such as {EXAMPLE}; allowed are "
            f"{ALLOWED}"
        )


_NODES = (
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare),
    *(*_COMPARE, *_OPPOSITE, ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.Constant),
    *(ast.List, ast.Tuple),
)
_NO_JSON = (bytes, complex, type(...))


def _value(node: ast.expr, facts: Mapping[str, Any]) -> Any:
    match node:
        case ast.BoolOp(op=ast.And()):
            return all(_value(one, facts) for one in node.values)
        case ast.BoolOp():
            return any(_value(one, facts) for one in node.values)
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, facts)
        case ast.UnaryOp():
            return _negative(_value(node.operand, facts))
        case ast.Compare():
            return _compared(node, facts)
        case ast.Name():
            return facts.get(node.id)
        case ast.Attribute():
            return _member(_value(node.value, facts), node.attr)
        case ast.Subscript():
            return _member(_value(node.value, facts), _value(node.slice, facts))
        case ast.List() | ast.Tuple():
            return [_value(one, facts) for one in node.elts]
        case ast.Constant():
            return node.value
    raise AssertionError(node)  # `_NODES` has no other expression


def _negative(value: Any) -> Any:
    return -value if isinstance(value, int | float) else None


def _member(value: Any, key: Any) -> Any:
    """Of an object, of a list by number, or by name of all that a list has."""
    if isinstance(value, list) and isinstance(key, str):
        return [_member(one, key) for one in value]
    with suppress(LookupError, TypeError):
        return value[key]
    return None


def _compared(node: ast.Compare, facts: Mapping[str, Any]) -> bool:
    values = [_value(one, facts) for one in (node.left, *node.comparators)]
    return all(
        _holds(type(op), left, right)
        for op, left, right in zip(node.ops, values, values[1:], strict=False)
    )


def _holds(kind: type[ast.cmpop], left: Any, right: Any) -> bool:
    if kind in _OPPOSITE:
        return not _holds(_OPPOSITE[kind], left, right)
    if isinstance(left, list):
        return any(_holds(kind, one, right) for one in left)
    if isinstance(right, list):
        op = ast.Eq if kind is ast.In else kind
        return any(_holds(op, left, one) for one in right)
    left, right = _alike(left, right), _alike(right, left)
    with suppress(TypeError):
        return bool(_COMPARE[kind](left, right))
    return False


def _alike(value: Any, other: Any) -> Any:
    if isinstance(value, str) and isinstance(other, int | float) and not isinstance(other, bool):
        with suppress(ValueError):
            return float(value)
    return value
