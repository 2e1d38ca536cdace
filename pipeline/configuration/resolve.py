"""One configuration from a file, the command line's options and `--set`, each over the one before.

Wrong keys and values become errors that name the file, the place and the nearest key that exists.
A value is quoted in an error only where it can hold no secret.
"""

from __future__ import annotations

import copy
import logging
import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from operators.errors import UsageError
from pipeline.configuration.config import (
    OPERATORS,
    STREAM_ID,
    Config,
    SinkConfig,
    StreamConfig,
)
from pipeline.configuration.document import Values, apply_override, load_document, to_document
from pipeline.configuration.head_match import matched
from pipeline.secrets import MASK, mask_values, remember, remember_urls

log = logging.getLogger(__name__)

_RENAMED = {"engine": "backend"}  # once -> now
STREAM_NAME = "a stream's name has 1 to 128 of A-Z a-z 0-9 . _ -"
_SECRET_PLACES = {"url", "uri", "settings", "sources"}
_NOTHING = object()  # where null may stand as well


def resolve(
    path: Path | None = None,
    options: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    environ: Mapping[str, str] = os.environ,
) -> Config:
    """Put a configuration together.

    Args:
        path: a YAML file, None for defaults.
        options: values of command-line options by their keys here; they replace the file's, but
            `heads` adds to them and `operators` is a list that picks some of them.
        overrides: `a.b=value`, applied last.
        environ: where `${NAME}` in the file is looked up.

    Raises:
        UsageError: anything unreadable, unknown or out of range, or against a head's training.
    """
    from_file = _with_new_names(load_document(path, environ), str(path)) if path else {}
    options = _with_new_names(options or {}, "command line")
    remember_urls([from_file, options, overrides])  # before any error can quote them
    if left_out := sorted(_table(from_file, "streams")) if "streams" in options else []:
        log.warning(
            "%s: streams %s are left out, with their zones and all that is said of them there: the "
            "command line says what is played",
            path,
            ", ".join(left_out),
        )
    values = _layered(from_file, options)
    values.setdefault("operators", dict.fromkeys(OPERATORS))  # an override changes one of them
    for override in overrides:
        apply_override(values, _with_new_key(override))
    return matched(_validated(values, path, from_file))


def sink_of(path: Path, *, environ: Mapping[str, str] = os.environ) -> SinkConfig:
    """The sink of a file, for whoever runs nothing; its other keys may say what they like.

    Args:
        path: a YAML file.
        environ: where `${NAME}` below `sink` is looked up.

    Raises:
        UsageError: the file is unreadable, or its sink is wrong.
    """
    from_file = load_document(path, environ, key="sink")
    remember_urls([from_file])
    return _validated(from_file, path, from_file).sink


def resolve_streams(values: Values) -> dict[str, StreamConfig]:
    """Named streams alone, from whoever asks for them while a job runs. Nothing is looked up in the
    environment: that is for the file of whoever owns it.

    Args:
        values: name -> entry, as below `streams` in a file.

    Raises:
        UsageError: an unknown key, or a value that is out of range.
    """
    remember_urls(values)
    return _validated({"streams": values}, None, {}).streams


def describe(config: Config) -> str:
    """The resolved configuration as YAML, secrets masked."""
    return to_document(mask_values(config.plain()))


def _validated(values: Values, path: Path | None, from_file: Values) -> Config:
    try:
        config = Config.model_validate(values)
        _remember_secrets(config)
        return config
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        lines = [f"{_origin(one, path, from_file)}: {_explain(one)}" for one in problems]
    raise UsageError("\n".join(lines))


def _remember_secrets(config: Config) -> None:
    """From here on no error and no log line shows them, wherever a library quotes them."""
    remember_urls(config.plain())
    for name, value in config.sink.settings.items():
        if isinstance(value, str) and mask_values(value, name) == MASK:
            remember(value)


def _with_new_names(given: Mapping[str, Any], where: str) -> Values:
    """The same values under the keys of today.

    Raises:
        UsageError: a key stands there under both names.
    """
    values = dict(given)
    for old, new in _RENAMED.items():
        if old not in values:
            continue
        if new in values:
            raise UsageError(f"{where}: {old} and {new} are the same key; write {new} alone")
        log.warning("%s: the key %s is called %s now", where, old, new)
        values = {new if key == old else key: value for key, value in values.items()}
    return values


def _with_new_key(override: str) -> str:
    """An override of a key of today."""
    for old, new in _RENAMED.items():
        if override.partition("=")[0] == old:
            log.warning("command line: the key %s is called %s now", old, new)
            return new + override.removeprefix(old)
    return override


def _layered(below: Mapping[str, Any], above: Mapping[str, Any]) -> Values:
    """Options replace whole keys; heads are added, and operators are picked by name."""
    values = {**copy.deepcopy(dict(below)), **copy.deepcopy(dict(above))}
    if "heads" in above:
        values["heads"] = {**_table(below, "heads"), **above["heads"]}
    if "operators" in above:
        values["operators"] = {
            name: _table(below, "operators").get(name) for name in above["operators"]
        }
    return values


def _table(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _origin(problem: ErrorDetails, path: Path | None, from_file: Values) -> str:
    """The file where the offending value stands in it, else the command line."""
    if path is None:
        return "command line"
    place = [part for part in problem["loc"] if part != "[key]"]
    if problem["type"] == "missing" or not place:
        ours = _standing_at(from_file, place[:-1]) is not _NOTHING
    else:
        found, given = _standing_at(from_file, place), problem["input"]
        same = found is given or found == given  # a NaN is no NaN's equal
        ours = found is not _NOTHING and (same or problem["loc"][-1] == "[key]")
    return str(path) if ours else "command line"


def _standing_at(values: Any, place: Sequence[str | int]) -> Any:
    """What stands there, or `_NOTHING`."""
    for part in place:
        try:
            values = values[part]
        except (LookupError, TypeError):
            return _NOTHING
    return values


def _explain(problem: ErrorDetails) -> str:
    loc = [str(part) for part in problem["loc"] if part != "[key]"]
    place = ".".join(loc) or "configuration"
    if problem["type"] == "extra_forbidden":
        keys = _keys_at(loc[:-1])
        near = get_close_matches(loc[-1], keys, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "there is no such key."
        return f"unknown key {place}; {hint} Keys here: {', '.join(keys)}"
    if problem["type"] == "missing":
        return f"{place} is missing"
    return f"{place}: {_in_our_words(problem['msg'])}{_got(problem['input'], loc)}"


def _in_our_words(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should", "should")
    message = message.replace(f"String should match pattern '{STREAM_ID}'", STREAM_NAME)
    message = re.sub(r"^(List|Tuple) (should have .*) after validation", r"\2", message)
    message = re.sub(r"a valid (list|tuple)", "a list", message)
    return re.sub(
        r"a valid dictionary( or instance of \w+)?", "a table of keys and values", message
    )


def _got(value: object, loc: Sequence[str]) -> str:
    sayable = isinstance(value, str | int | float) and not _SECRET_PLACES & set(loc)
    return f"; got {value!r}" if sayable else ""


def _keys_at(loc: Sequence[str]) -> list[str]:
    """Keys of the model that stands at a place of the configuration."""
    model: Any = Config
    parts = iter(loc)
    for part in parts:
        annotation = model.model_fields[part].annotation
        if get_origin(annotation) is dict:
            next(parts, None)
            annotation = get_args(annotation)[1]
        model = next((one for one in get_args(annotation) if one is not type(None)), annotation)
    return list(model.model_fields)
