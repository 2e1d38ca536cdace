"""Depth Anything's files, of models of their own: encoder and decoder lie in one."""

from __future__ import annotations

from operators.weights.official_file import FREE, NOT_COMMERCIAL, OfficialFile

DEPTH_ANYTHING = "depth-anything-v2"
WHOLE_MODELS = {
    DEPTH_ANYTHING: "relative",
    f"{DEPTH_ANYTHING}-hypersim": "hypersim",
    f"{DEPTH_ANYTHING}-vkitti": "vkitti",
    "da3mono-large": "da3mono",
    "da3metric-large": "da3metric",
}
"""Head -> what its file is fine-tuned to, as the setting `domain` of depth names it."""

_HOST = "https://huggingface.co/depth-anything"
_V2 = f"{_HOST}/Depth-Anything-V2"


def depth_anything_files() -> tuple[OfficialFile, ...]:
    """V2's, relative and in metres, and 3's of one view."""
    return (*_relative(), *_metric(), *_third())


def _relative() -> tuple[OfficialFile, ...]:
    # Bytes and sha256 as several independent public repositories give them.
    facts = (
        (
            *("Small", "vits", 99_218_434, FREE),
            "715fade13be8f229f8a70cc02066f656f2423a59effd0579197bbf57860e1378",
        ),
        (
            *("Base", "vitb", 389_961_218, NOT_COMMERCIAL),
            "0d2b7002e62d39d655571c371333340bd88f67ab95050c03591555aa05645328",
        ),
        (
            *("Large", "vitl", 1_341_395_338, NOT_COMMERCIAL),
            "a7ea19fa0ed99244e67b624c72b8580b7e9553043245905be58796a608eb9345",
        ),
    )
    return tuple(
        OfficialFile(
            f"{_V2}-{name}/resolve/main/depth_anything_v2_{encoder}.pth",
            *("depth", f"dinov2_{encoder}14", DEPTH_ANYTHING, size_bytes, sha256, licence),
        )
        for name, encoder, size_bytes, licence, sha256 in facts
    )


def _metric() -> tuple[OfficialFile, ...]:
    # Addresses from metric_depth/README.md upstream. Its README licenses B and L as not commercial,
    # the files' own pages say Apache-2.0: the stricter is told.
    sizes = (
        ("Small", "vits", FREE),
        *(("Base", "vitb", NOT_COMMERCIAL), ("Large", "vitl", NOT_COMMERCIAL)),
    )
    return tuple(
        OfficialFile(
            f"{_V2}-Metric-{data}-{name}/resolve/main/"
            f"depth_anything_v2_metric_{data.lower()}_{encoder}.pth",
            *("depth", f"dinov2_{encoder}14", f"{DEPTH_ANYTHING}-{data.lower()}"),
            licence=licence,
        )
        for data in ("Hypersim", "VKITTI")
        for name, encoder, licence in sizes
    )


def _third() -> tuple[OfficialFile, ...]:
    # Repositories from README.md upstream; its code reads their model.safetensors.
    return tuple(
        OfficialFile(
            f"{_HOST}/{head.upper()}/resolve/main/model.safetensors",
            *("depth", "dinov2_vitl14", head),
            licence=FREE,
            kept_as=f"{head}.safetensors",
        )
        for head in ("da3mono-large", "da3metric-large")
    )
