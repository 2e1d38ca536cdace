"""What a user named as sources -> the streams to decode: ids, sessions, addresses.

Reads file names and a file's first and last bytes, opens no media. Knows nothing of sampling.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

from operators.errors import UsageError
from pipeline.configuration.bucket import objects_of, require_folder
from pipeline.configuration.counted import counted
from pipeline.configuration.folder import Named, files_of
from pipeline.configuration.footage import chain_session, chains_of
from pipeline.configuration.kept import is_archive, plans_in
from pipeline.configuration.slug import COLLISION_DIGITS, ID_LENGTH, slug
from pipeline.configuration.source_plan import SourcePlan
from pipeline.configuration.tapes import tapes_in
from pipeline.errors import SourceError
from pipeline.media.endpoint import SOCKET_SCHEMES, Endpoint
from pipeline.media.fingerprint import EDGE_BYTES, SESSION_DIGITS, edges_session, file_session
from pipeline.media.formats import DEVICE
from pipeline.media.http import SameHost
from pipeline.media.s3 import is_s3
from pipeline.media.transfer import SPOOL_BYTES, PlaylistError, Transfer, file_edges
from pipeline.secrets import mask_url, misread, remember_url, unencoded
from pipeline.stream.layout import Layout
from pipeline.synthetic.uri import SCHEME as SYNTHETIC
from pipeline.synthetic.uri import parse_scene_uri

log = logging.getLogger(__name__)

LIVE_SCHEMES = ("rtsp", "rtsps", "srt", *SOCKET_SCHEMES)
HTTP_SCHEMES = ("http", "https")
READERS, READ_AHEAD = 8, 1024  # files at a time
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{ID_LENGTH}}}")


def plan_recordings(
    sources: Sequence[str],
    *,
    stream: str | None = None,
    join: bool = False,
    spool_bytes: int = SPOOL_BYTES,
    layout: Layout | None = None,
) -> list[SourcePlan]:
    """The streams of recorded sources, in a fixed order.

    Args:
        sources: files, folders, globs, http(s) files, objects and folders of S3 stores,
            `synthetic:` URIs and archives.
        stream: the id of the only source.
        join: each source is a folder or glob whose files are played in order as one stream.
        spool_bytes: most that may be copied to disk of an http(s) file.
        layout: each source is a recorder's folder whose files are so called, and make chains.

    Raises:
        UsageError: nothing there, a camera, a wrong name, or two sources with one name.
    """
    if join:
        _refuse_lone_files(sources)
    named: list[tuple[str, SourcePlan]] = []
    for source in sources:
        found = _chains(source, layout) if layout else _recordings(source, spool_bytes)
        if join and any(plan.taped or plan.kept_at for _, plan in found):
            raise UsageError(f"join is of files, and {source} is none; leave join out")
        named += [_joined(source, found)] if join else found
    if stream is not None:
        return [_only(named, stream)]
    return _distinct(named)


def plan_stream(stream: str, url: str, *, live: bool, spool_bytes: int = SPOOL_BYTES) -> SourcePlan:
    """A source that the configuration names.

    Args:
        stream: its id.
        url: a camera, an http(s) URL, a file or a `synthetic:` URI.
        live: http(s) URLs are followed like cameras, not read as recordings.
        spool_bytes: most that may be copied to disk of an http(s) file.

    Raises:
        UsageError: nothing there, several files, an unknown protocol, or a camera where recordings
            are played.
    """
    scheme = _scheme(url)
    if live and url.startswith(DEVICE):
        return SourcePlan(_checked(stream), url, live=True, session="")
    if live and scheme in (*LIVE_SCHEMES, *HTTP_SCHEMES):
        _refuse_unencoded(url)
        if scheme in SOCKET_SCHEMES:
            _refuse_nowhere(url)
        return SourcePlan(_checked(stream), url, live=True, session="")
    return _only(_recordings(url, spool_bytes), stream)


def _recordings(source: str, spool_bytes: int) -> list[tuple[str, SourcePlan]]:
    """(name before slugging, plan without id) of each recording that a source stands for."""
    if is_archive(source):
        return plans_in(source)
    if source.startswith(SYNTHETIC):
        spec = parse_scene_uri(source)
        uri = spec.canonical()
        session = _digest(uri.encode())[:SESSION_DIGITS]
        return [(f"{spec.scene}-{spec.seed}", SourcePlan("", uri, False, session))]
    scheme = _scheme(source)
    if is_s3(source):
        objects = objects_of(source)
        ends = counted(f"reading the ends of {len(objects)} objects", objects)
        return [(name, _download(url, spool_bytes)[1]) for name, url in ends]
    if scheme in HTTP_SCHEMES:
        return [_download(source, spool_bytes)]
    if scheme in LIVE_SCHEMES or source.startswith(DEVICE):
        raise UsageError(
            f"{mask_url(source)} is live; name it in a configuration for dinostream run"
        )
    if scheme and not os.path.lexists(source):
        known = ", ".join((*LIVE_SCHEMES, *HTTP_SCHEMES, "s3"))
        raise UsageError(f"unknown protocol {scheme}:// in {mask_url(source)}; known: {known}")
    if taped := tapes_in(source):
        return taped
    files = files_of(source)
    sessions = counted(f"reading the ends of {len(files)} files", _sessions(files))
    return [
        (name, SourcePlan("", path, False, session))
        for (name, path), session in zip(files, sessions, strict=True)
    ]


def _sessions(files: Sequence[Named]) -> Iterator[str]:
    """Several at a time: disks elsewhere answer late, and hashes leave the interpreter alone."""
    with ThreadPoolExecutor(READERS) as readers:
        for begin in range(0, len(files), READ_AHEAD):
            some = files[begin : begin + READ_AHEAD]
            yield from readers.map(file_session, [path for _, path in some])


def _chains(source: str, layout: Layout) -> list[tuple[str, SourcePlan]]:
    if is_s3(source):
        folder = require_folder(source)
    elif os.path.isdir(source):
        folder = os.path.abspath(source)
    else:
        raise UsageError(f"layout is of the files of a folder; {mask_url(source)} is none")
    return [
        (
            stream or os.path.basename(folder.rstrip("/")),
            SourcePlan("", first, False, chain_session(layout, stream), tuple(more), layout),
        )
        for stream, (first, *more) in chains_of(folder, layout).items()
    ]


def _refuse_unencoded(url: str) -> None:
    """An address that means something else than who wrote it thinks."""
    remember_url(url)
    if advice := unencoded(url) or misread(url):
        raise UsageError(f"{mask_url(url)} is no address: {advice}")


def _refuse_nowhere(url: str) -> None:
    try:
        Endpoint.of(url)
    except SourceError as error:
        raise UsageError(f"{mask_url(url)} {error}") from None


def _download(url: str, spool_bytes: int) -> tuple[str, SourcePlan]:
    _refuse_unencoded(url)
    try:
        with closing(Transfer(spool_bytes=spool_bytes)) as transfer:
            session = edges_session(*file_edges(url, EDGE_BYTES, transfer))
    except PlaylistError as playlist:
        if is_s3(url):
            raise UsageError(
                f"{url} is a playlist (hls), which is read over http(s) alone"
            ) from None
        session = _playlist_session(playlist.site, url)
    except SourceError as error:
        raise UsageError(f"{mask_url(url)} {error}") from None
    name = os.path.basename(url.partition("?")[0].rstrip("/")) or "http"
    return name, SourcePlan("", url, False, session)


def _playlist_session(host: SameHost, url: str) -> str:
    from pipeline.media.hls_edges import playlist_edges  # loads libav

    try:
        return edges_session(*playlist_edges(host, url, EDGE_BYTES))
    except SourceError as error:
        raise UsageError(f"{mask_url(url)} {error}") from None


def _refuse_lone_files(sources: Sequence[str]) -> None:
    """Whoever names files one by one and joins them wants one stream of them."""
    lone = [one for one in sources if not os.path.isdir(one) and not glob.has_magic(one)]
    if len(lone) > 1:
        raise UsageError(
            f"join plays the files of a folder or a glob as one stream; {mask_url(lone[0])} and "
            f"{len(lone) - 1} more are files by themselves. Give their folder, or a glob in quotes"
        )


def _joined(source: str, found: Sequence[tuple[str, SourcePlan]]) -> tuple[str, SourcePlan]:
    plans = [plan for _, plan in found]
    if len(plans) == 1:
        return found[0]
    session = _digest(*(plan.session.encode() for plan in plans))[:SESSION_DIGITS]
    name = os.path.basename(os.path.abspath(source.rstrip("/*")))
    return name, replace(plans[0], session=session, join=tuple(plan.url for plan in plans[1:]))


def _only(named: Sequence[tuple[str, SourcePlan]], stream: str) -> SourcePlan:
    if len(named) != 1:
        raise UsageError(
            f"{len(named)} sources with one name, {stream}; name one file, or join them"
        )
    return replace(named[0][1], stream=_checked(stream))


def _distinct(named: Sequence[tuple[str, SourcePlan]]) -> list[SourcePlan]:
    """Ids from names; names that look alike get 6 hex of what tells them apart."""
    _refuse_repeated([os.path.realpath(plan.url) for _, plan in named])
    names = [slug(name) for name, _ in named]
    slugs = Counter(name.lower() for name in names)
    plans = []
    for stream, (name, plan) in zip(names, named, strict=True):
        if slugs[stream.lower()] > 1:
            mark = _digest(os.fsencode(_place(name, plan)))[:COLLISION_DIGITS]
            marked = f"{stream[: ID_LENGTH - COLLISION_DIGITS - 1]}-{mark}"
            told = (stream, mask_url(plan.url), marked)
            extra = {"stream": marked}
            log.warning("several sources would be called %s; %s is %s", *told, extra=extra)
            stream = marked
        plans.append(replace(plan, stream=stream))
    return plans


def _place(name: str, plan: SourcePlan) -> str:
    """What tells it from others of its name; of a chain the folder, for its files come and go."""
    if plan.layout is None:
        return plan.url
    return f"{plan.url.removesuffix(plan.layout.name_of(plan.url))}\0{name}"


def _refuse_repeated(places: Iterable[str]) -> None:
    for place, times in Counter(places).items():
        if times > 1:
            raise UsageError(f"{mask_url(place)} is given {times} times; two streams cannot be one")


def _checked(stream: str) -> str:
    if not _ID.fullmatch(stream):
        raise UsageError(
            f"stream id {stream!r} must be 1 to {ID_LENGTH} of the characters A-Z a-z 0-9 . _ -"
        )
    return stream


def _scheme(source: str) -> str:
    return source.partition("://")[0].lower() if "://" in source else ""


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()
