"""A YAML 1.2 file, environment variables and `--set` overrides, as plain values.

Text in -> nested dictionaries out, and back. A key is text as it is written, and written twice it
is an error, because one of two cameras would vanish. Knows no model.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from operators.errors import UsageError

Values = dict[str, Any]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_SEGMENT = re.compile(r'"([^"]+)"|([^."]+)')
_PATH = re.compile(rf"(?:{_SEGMENT.pattern})(?:\.(?:{_SEGMENT.pattern}))*")
_TAG = "tag:yaml.org,2002:"
_TOO_DEEP = "lists or tables lie too deep in each other; is one named (*) inside itself?"


class _Constructor(SafeConstructor):
    """Builds plain values."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[str, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise ConstructorError(None, None, "a key must be a word", key.start_mark)
            if key.value in seen:  # the library's own error quotes both values: secrets
                problem = f"the key {key.value!r} is written twice"
                raise ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
            key.tag = f"{_TAG}str"  # a camera may be called 007, or null
        values: dict[str, Any] = super().construct_mapping(node, deep)
        return values

    def construct_plain_text(self, node: ScalarNode) -> str:
        """What YAML 1.1 had types for, and 1.2 has not."""
        return str(node.value)


for _name in ("timestamp", "merge", "value"):
    _Constructor.add_constructor(f"{_TAG}{_name}", _Constructor.construct_plain_text)


def load_document(
    path: Path, environ: Mapping[str, str] = os.environ, *, key: str | None = None
) -> Values:
    """Read a YAML file and fill in `${NAME}` and `${NAME:-default}`.

    Args:
        path: the file.
        environ: where names are looked up.
        key: all that is wanted of it; None: every key.

    Raises:
        UsageError: unreadable, no YAML, no mapping at its top, or a name that is not set; the text
            names the file and the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read configuration {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"configuration {path} is not UTF-8 text") from None
    values = _parse(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError(f"configuration {path} must be a mapping of keys to values")
    if key is not None:
        values = {name: value for name, value in values.items() if name == key}
    try:
        filled: Values = _interpolate(values, str(path), (), environ)
    except RecursionError:
        raise UsageError(f"configuration {path}: {_TOO_DEEP}") from None
    return filled


def apply_override(values: Values, override: str) -> None:
    """Apply one `a.b=value` in place; the value is YAML, a segment with dots stands in quotes.

    Raises:
        UsageError: no `=`, an empty path, bad YAML, or a path that runs through a plain value.
    """
    dotted, equals, text = override.partition("=")
    path = _segments(dotted) if equals else []
    if not path:
        got = f"; got {dotted!r}" if equals else ""  # without a "=" it may all be a password
        raise UsageError(f"--set takes KEY=VALUE, such as sampling.fps=2{got}")
    *parents, last = path
    table = values
    for depth, segment in enumerate(parents):
        below = table.setdefault(segment, {})
        if below is None:
            below = table[segment] = {}
        if not isinstance(below, dict):
            place = ".".join(path[: depth + 1])
            raise UsageError(f"--set {dotted}: {place} is a plain value and has no keys")
        table = below
    table[last] = _parse(text, f"--set {dotted}")


def to_document(values: Mapping[str, Any]) -> str:
    """Plain values as YAML in their order; `load_document` reads the same again."""
    yaml, text = YAML(typ="safe", pure=True), StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed as None
    yaml.dump(values, text)
    return text.getvalue()


def _segments(dotted: str) -> list[str]:
    if not _PATH.fullmatch(dotted):
        return []
    return [match[1] or match[2] for match in _SEGMENT.finditer(dotted)]


def _parse(text: str, origin: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" line {mark.line + 1}" if mark else ""
        raise UsageError(f"{origin}{place}: {error.problem}") from None
    except YAMLError as error:
        raise UsageError(f"{origin}: not YAML: {error}") from None
    except ValueError:
        raise UsageError(f"{origin}: a value is not what its tag (!!) says") from None
    except RecursionError:
        raise UsageError(f"{origin}: {_TOO_DEEP}") from None


def _interpolate(value: Any, origin: str, place: Sequence[str], environ: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            str(key): _interpolate(below, origin, (*place, str(key)), environ)
            for key, below in value.items()
        }
    if isinstance(value, list):
        return [
            _interpolate(below, origin, (*place, str(index)), environ)
            for index, below in enumerate(value)
        ]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        found = environ.get(match["name"], match["default"])
        if found is None:
            raise UsageError(
                f"{origin}: {'.'.join(place)} wants the environment variable {match['name']}, which"
                f" is not set; set it, or write ${{{match['name']}:-default}}"
            )
        return found

    return _VARIABLE.sub(fill, value)
