"""timm, and all that is asked of it: a vision transformer without weights, and what was published.

The only place that knows timm, which is needed for comparison and never to run dinostream.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from torch import Tensor

from operators.backbones.statistics import Statistics
from operators.errors import UsageError

_REFUSALS = (RuntimeError, TypeError, ValueError, AssertionError, AttributeError)


def require_timm() -> Any:
    """The library.

    Raises:
        UsageError: says how to get it.
    """
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise UsageError(
            f"peers of the families timm, ibot and open_clip are computed by the timm library, "
            f"which cannot be imported here ({error}); pip install timm (in a checkout: pip "
            f"install '.[peers]')"
        ) from error


def require_model(name: str) -> None:
    """
    Raises:
        UsageError: timm is not installed, or has no model of that name.
    """
    timm = require_timm()
    if not timm.is_model(name.partition(".")[0]):
        near = get_close_matches(name, timm.list_models("*vit*"), n=3, cutoff=0.4)
        raise UsageError(f"timm {timm.__version__} has no model {name}; near: {', '.join(near)}")


def timm_vit(name: str) -> Any:
    """A vision transformer without trained weights, for pictures of any size; float32, frozen.

    Args:
        name: of timm, with or without a tag.

    Raises:
        UsageError: timm is not installed or does not know it, or it is no vision transformer with a
            class token.
    """
    timm = require_timm()
    require_model(name)
    try:
        model = timm.create_model(
            name, pretrained=False, num_classes=0, global_pool="token", dynamic_img_size=True
        )
        fits = model.cls_token is not None and model.num_prefix_tokens >= 1
        grid, patch = model.patch_embed.grid_size, model.patch_embed.patch_size
    except _REFUSALS as error:
        raise _unfit(name, str(error).partition("\n")[0]) from error
    if not fits or not hasattr(model, "forward_intermediates"):
        raise _unfit(name, "it has no class token")
    if grid[0] != grid[1] or patch[0] != patch[1]:
        raise _unfit(name, f"its patches are {patch} px on a grid of {grid}")
    return model.eval().requires_grad_(False)


def published_statistics(name: str) -> Statistics:
    """What the weights of a tag were trained with.

    Raises:
        UsageError: timm has no such tag, or the name has none where tags differ.
    """
    timm = require_timm()
    model, _, tag = name.partition(".")
    every: list[str] = timm.list_pretrained(f"{model}.*")
    tags = [one for one in every if one == name or not tag]
    known = {one: _statistics(timm.get_pretrained_cfg(one)) for one in tags}
    if len(set(known.values())) == 1:
        return next(iter(known.values()))
    known_tags = ", ".join(f"timm:{one}" for one in every)
    raise UsageError(
        f"timm:{name} does not say whose weights, and each training had its own mean and deviation "
        f"of pixels; take one of {known_tags or 'another model: timm publishes none of this one'}"
    )


def timm_tensors(model: Any, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a published file under timm's names, such as those of OpenCLIP.

    Args:
        model: from `timm_vit`.
        tensors: by the names of the file.
    """
    convert = getattr(importlib.import_module(type(model).__module__), "checkpoint_filter_fn", None)
    if convert is None or model.state_dict().keys() <= tensors.keys():
        return dict(tensors)
    return dict(convert(dict(tensors), model))


def _statistics(config: Any) -> Statistics:
    mean, std = (tuple(map(float, colours)) for colours in (config.mean, config.std))
    return Statistics((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), "timm")


def _unfit(name: str, why: str) -> UsageError:
    return UsageError(
        f"timm:{name} cannot stand beside ours, which wants a vision transformer with a class "
        f"token and square patches, for pictures of any size: {why}"
    )
