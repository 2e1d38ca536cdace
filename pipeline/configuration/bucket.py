"""The objects that an address of an S3 store stands for: one, or the videos below a folder."""

from __future__ import annotations

import re

from operators.errors import UsageError
from pipeline.configuration.folder import Named, PassedOver, log
from pipeline.errors import SourceError
from pipeline.media.filename import as_sorted, is_system, is_video
from pipeline.media.s3 import SCHEME, list_objects
from pipeline.secrets import mask_url, remember_url

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")


def objects_of(source: str) -> list[Named]:
    """Below what was named, in the order of a person; an object that is called like a video is one
    itself.

    Raises:
        UsageError: there are none, or nobody may ask.
    """
    if is_video(source) and not source.endswith("/"):
        require_bucket(source)
        return [(source.rpartition("/")[2], source)]
    folder, passed = require_folder(source), PassedOver()
    found = []
    for name, _ in names_in(folder):
        hidden = any(is_system(part) for part in name.split("/"))
        if is_video(name) and hidden:
            passed.add("hidden and system folders and files", name)
        elif is_video(name):
            found.append((name, folder + name))
    if not found:
        raise UsageError(f"no video is below {folder}; name an object with its ending")
    if str(passed):
        log.warning("%s: passed over %s", folder, passed)
    return sorted(found, key=lambda named: as_sorted(named[0]))


def names_in(folder: str) -> list[tuple[str, int]]:
    """All that lies below a folder, by its path there, and its bytes.

    Raises:
        UsageError: it cannot be listed.
    """
    try:
        return list(list_objects(folder))
    except SourceError as error:
        raise UsageError(f"{folder} {error}") from None


def require_folder(source: str) -> str:
    """Its address with a slash behind it; errors as of `require_bucket`."""
    require_bucket(source)
    return source.rstrip("/") + "/"


def require_bucket(source: str) -> None:
    """
    Raises:
        UsageError: it names no bucket, or somebody's password.
    """
    bucket = source.removeprefix(SCHEME).partition("/")[0]
    if _BUCKET.fullmatch(bucket) is None:
        remember_url(source)
        raise UsageError(
            f"{mask_url(source)} names no bucket; want s3://BUCKET/KEY, and credentials in the "
            "environment (AWS_PROFILE, AWS_ACCESS_KEY_ID), never in an address"
        )
