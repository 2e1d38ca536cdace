"""Weights files, read safely: a path in, named float tensors out, or an error naming file and keys.

Takes PyTorch files (never running what a pickle asks for) and safetensors, told apart by content.
Must not know where files come from or what they are for.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from operators.errors import WeightsError

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"  # PyTorch before 1.6
# Where a whole checkpoint keeps the weights that are measured; of a DINO that is the teacher's.
_WITHIN = ("teacher", "state_dict", "model")
_NAMED_KEYS = 4  # keys an error spells out before it counts the rest

# Official head files were written by a training framework whose `meta` holds numpy numbers. These
# build numbers and nothing else. numpy renamed `numpy.core` to `numpy._core` in 2.0.
_NUMPY_SCALAR = np.float64(0).__reduce__()[0]
NUMPY_SCALARS: tuple[Any, ...] = (
    (_NUMPY_SCALAR, "numpy.core.multiarray.scalar"),
    (_NUMPY_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    np.dtypes.Float32DType,
    np.dtypes.Float64DType,
    np.dtypes.Int32DType,
    np.dtypes.Int64DType,
    np.dtypes.BoolDType,
)
# Whole checkpoints of DINO v1, DeiT and iBOT hold the options of their training: plain values.
_HARMLESS: tuple[Any, ...] = (*NUMPY_SCALARS, Namespace)


def sha256_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Hex sha256 over names, dtypes, shapes and bytes of tensors, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a weights file, on the CPU.

    Args:
        path: a PyTorch file holding a state dict, bare or under one of `_WITHIN`, of which the
            first counts; or safetensors.

    Returns:
        Tensors by the names and in the dtypes that the file has.

    Raises:
        WeightsError: absent, truncated, no weights file, or a pickle that asks to run code
            (which does not run).
    """
    pickled = is_pytorch(path)
    tensors = _state_dict(path, _read_torch(path)) if pickled else _read_safetensors(path)
    odd = [name for name, one in tensors.items() if one.layout != torch.strided or one.is_complex()]
    if odd:
        raise WeightsError(
            f"{path}: tensors that are sparse or of complex numbers, which no model here has: "
            f"{_some(odd)}; save it with dense tensors of real ones"
        )
    return tensors


def is_pytorch(path: Path) -> bool:
    """Whether a weights file is PyTorch's, told by its first bytes; if not, it is safetensors.

    Raises:
        WeightsError: it is neither, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise _unreadable(path, error) from error
    if head.startswith((_ZIP, _PICKLE)):
        return True
    if head[8:] == b"{":
        return False
    raise WeightsError(
        f"{path}: not a weights file (it begins with {head!r}); "
        "give an official .pth or a Hugging Face .safetensors file"
    )


def check_layout(path: Path, got: Mapping[str, Tensor], want: Mapping[str, Tensor]) -> None:
    """Hold a file's tensors to a model's: the same keys, the same shapes.

    Args:
        path: the file, for the error's text.
        got: the file's tensors under the model's names.
        want: the model's own state dict.

    Raises:
        WeightsError: names the file and the keys that are missing, left over or of another shape.
    """
    wrong = [
        f"{key} is {list(got[key].shape)}, the model has {list(want[key].shape)}"
        for key in want
        if key in got and got[key].shape != want[key].shape
    ]
    missing, surplus = want.keys() - got.keys(), got.keys() - want.keys()
    faults = [
        *([f"another size: {_some(wrong)}"] if wrong else []),
        *([f"missing keys: {_some(sorted(missing))}"] if missing else []),
        *([f"unexpected keys: {_some(sorted(surplus))}"] if surplus else []),
    ]
    if faults:
        raise WeightsError(f"{path}: does not fit the model; " + "; ".join(faults))


def _read_torch(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals(list(_HARMLESS)), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "please file an issue" for a pickle that is refused
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # Not chained: the library's own text advises to switch its protection off.
        raise _refused(path, error) from None
    except MemoryError:
        raise
    except (
        Exception
    ) as error:  # damaged bytes raise anything: IndexError, KeyError, RuntimeError...
        raise WeightsError(f"{path}: damaged or cut short ({_first_sentence(error)})") from error


def _refused(path: Path, error: pickle.UnpicklingError) -> WeightsError:
    asked = re.search(r"GLOBAL ([\w.]+)", str(error))
    what = f"it asks to run {asked[1]}" if asked else "it is damaged or no PyTorch weights file"
    return WeightsError(
        f"{path}: refused, {what}; nothing in it was run. "
        "Get the file from its official source, or as .safetensors"
    )


def _state_dict(path: Path, content: Any) -> dict[str, Tensor]:
    inner = None
    if isinstance(content, dict):
        inner = next((content[name] for name in _WITHIN if name in content), content)
    if not isinstance(inner, dict) or not inner:
        raise WeightsError(f"{path}: holds {type(content).__name__}, not named tensors")
    odd = sorted(str(key) for key, value in inner.items() if not isinstance(value, Tensor))
    if odd:
        raise WeightsError(f"{path}: entries that are no tensors: {_some(odd)}")
    return {str(key): value for key, value in inner.items()}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: damaged or cut short ({_first_sentence(error)})") from error


def _unreadable(path: Path, error: OSError) -> WeightsError:
    return WeightsError(f"{path}: cannot be read ({error.strerror or error})")


def _first_sentence(error: Exception) -> str:
    return re.split(r"\. |\n", str(error).strip() or type(error).__name__)[0]


def _some(keys: Iterable[str]) -> str:
    named = list(keys)
    rest = len(named) - _NAMED_KEYS
    return ", ".join(named[:_NAMED_KEYS]) + (f" and {rest} more" if rest > 0 else "")
