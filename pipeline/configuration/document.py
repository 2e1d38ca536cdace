"""A YAML file, environment variables and `--set` overrides, as plain values.

Text in -> nested dictionaries out. YAML 1.2 scalars only: `off` and `no` are words.
A key written twice is an error, because one of two cameras would vanish. Knows no model.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from operators.errors import UsageError

Values = dict[str, Any]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_SEGMENT = re.compile(r'"([^"]+)"|([^."]+)')
_PATH = re.compile(rf"(?:{_SEGMENT.pattern})(?:\.(?:{_SEGMENT.pattern}))*")
_SCALARS = {  # YAML 1.2, core schema
    "tag:yaml.org,2002:bool": (re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    "tag:yaml.org,2002:null": (re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    "tag:yaml.org,2002:int": (re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
    "tag:yaml.org,2002:float": (
        re.compile(r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
        "-+.0123456789",
    ),
}


class _Loader(yaml.SafeLoader):
    """Safe, YAML 1.2 scalars, no key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own attribute

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is written twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


for _tag, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(_tag, _pattern, list(_first))


def load_document(path: Path, environ: Mapping[str, str] = os.environ) -> Values:
    """Read a YAML file and fill in `${NAME}` and `${NAME:-default}`.

    Args:
        path: the file.
        environ: where names are looked up.

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
    filled: Values = _interpolate(values, str(path), (), environ)
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
        raise UsageError(f"--set takes PATH=VALUE, such as sampling.fps=2{got}")
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


def _segments(dotted: str) -> list[str]:
    if not _PATH.fullmatch(dotted):
        return []
    return [match[1] or match[2] for match in _SEGMENT.finditer(dotted)]


def _parse(text: str, origin: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" line {mark.line + 1}" if mark else ""
        raise UsageError(f"{origin}{place}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{origin}: not YAML: {error}") from None


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
