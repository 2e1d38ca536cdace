"""transformers, and all that is asked of it: a model with the weights of a folder, a tokenizer.

The only place that knows transformers, which an extra brings and no other part of dinostream needs.
Nothing is downloaded, and nothing that lies in the folder is run.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from operators.errors import UsageError, WeightsError
from operators.outside.given import GivenWeights
from operators.outside.published import Family

_VOCABULARIES = ("tokenizer.json", "vocab.txt")  # without one the library knows no word at all
_SOME = 5  # names of an error's text


def require_transformers(family: Family) -> Any:
    """The library.

    Raises:
        UsageError: says how to get it.
    """
    try:
        return importlib.import_module("transformers")
    except ImportError as error:
        raise UsageError(
            f"{family.title} is computed by the transformers library, which cannot be imported "
            f"here ({error}); pip install transformers (in a checkout: pip install "
            f"'.[{family.extra}]')"
        ) from error


def model_of(family: Family, given: GivenWeights) -> Any:
    """The model with those weights, float32, frozen, on the best device there is.

    Raises:
        UsageError: the library is not installed.
        WeightsError: the file is damaged, or its tensors are not the model's.
    """
    transformers = require_transformers(family)
    kind = getattr(transformers, family.library_class)
    with _refusals(given, transformers):
        model, told = kind.from_pretrained(
            str(given.folder),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation=None,  # a config may name one that the library would fetch and run
            dtype=torch.float32,
            output_loading_info=True,
        )
    wrong = {
        "lacks": told["missing_keys"],
        "has what the model has not": told["unexpected_keys"],
        "has in another shape": told["mismatched_keys"],
    }
    said = [f"{what} {_some(names)}" for what, names in wrong.items() if names]
    if said:
        raise WeightsError(f"{given.folder}: is no whole {family.title}: it {'; it '.join(said)}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.eval().requires_grad_(False).to(device)


def tokenizer_of(family: Family, given: GivenWeights) -> Any:
    """What makes numbers of the words.

    Raises:
        UsageError: the library is not installed.
        WeightsError: the folder has none that can be read.
    """
    transformers = require_transformers(family)
    if not any((given.folder / name).is_file() for name in _VOCABULARIES):
        raise WeightsError(
            f"{given.folder}: has no tokenizer; {family.option} takes a folder that also has "
            f"{' or '.join(_VOCABULARIES)}"
        )
    with _refusals(given, transformers):
        return transformers.AutoTokenizer.from_pretrained(
            str(given.folder), local_files_only=True, trust_remote_code=False
        )


@contextmanager
def _refusals(given: GivenWeights, transformers: Any) -> Iterator[None]:
    """Damaged files raise anything; the library's own warnings are about what is refused here."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{given.folder}: cannot be loaded ({why})") from error


def require_sound(given: GivenWeights, *numbers: Tensor) -> None:
    """Of NaN no mask and no box is made, which would say that nothing is there.

    Raises:
        WeightsError: there is one.
    """
    if any(one.isnan().any() for one in numbers):
        raise WeightsError(
            f"{given.folder}: its weights make NaN of a picture; they are damaged, take them from "
            "their publishers again"
        )


def _some(names: Any) -> str:
    listed = sorted(str(one[0] if isinstance(one, tuple) else one) for one in names)
    rest = len(listed) - _SOME
    return ", ".join(listed[:_SOME]) + (f" and {rest} more" if rest > 0 else "")
