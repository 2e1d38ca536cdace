"""What the streams of a live job are to be: said from any thread, carried out by the reconciler."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from uuid import uuid4

from operators.errors import UsageError
from pipeline.configuration.config import Config, StreamConfig
from pipeline.configuration.streams import stream_spec
from pipeline.stream.spec import StreamSpec

Streams = dict[str, "WantedStream"]


class NoSuchStream(UsageError):
    """No stream of that name is wanted."""


class Changed(UsageError):
    """Somebody else has changed what was to be changed, or made what was to be new."""


class Fixed(UsageError):
    """The streams of this job are what they were when it began."""


@dataclass(frozen=True, slots=True)
class WantedStream:
    """One stream as it is to be.

    Attributes:
        config: its entry in the configuration.
        paused: it is to be left alone until it is resumed.
        turn: grows whenever it is to begin anew.
    """

    config: StreamConfig
    paused: bool = False
    turn: int = 0


class Wanted:
    """Of one job. A change is made as a whole or not at all."""

    def __init__(
        self,
        config: Config,
        fixed: Mapping[str, StreamConfig] | None = None,
        *,
        check: Callable[[StreamSpec], None] = lambda _: None,
    ) -> None:
        """
        Args:
            config: of the job.
            fixed: all streams of a job whose streams do not change, those that its configuration
                has no names for too; every change raises `Fixed` then. None: those of `config`.
            check: raises `UsageError` of a stream that could be opened and that the job cannot run.
        """
        self._lock = threading.Lock()
        self._config = config
        self._check_runs = check
        self._fixed = fixed is not None
        streams = config.streams if fixed is None else fixed
        self._streams = {name: WantedStream(one) for name, one in streams.items()}
        self._life = uuid4().hex[:8]  # so that no tag of another run is one of this
        self._changes = 0

    @property
    def config(self) -> Config:
        """The job's configuration, with the streams of now."""
        with self._lock:
            return self._config

    @property
    def etag(self) -> str:
        """Another one after every change."""
        with self._lock:
            return self._etag()

    def streams(self) -> Streams:
        """All of them."""
        with self._lock:
            return dict(self._streams)

    def put(self, name: str, stream: StreamConfig, *, only_new: bool = False) -> bool:
        """Have a stream be so; whether there was none of that name. Same again changes nothing.

        Args:
            name: its id.
            stream: its entry in the configuration.
            only_new: refuse to change one that is there.

        Raises:
            Changed: it is there, and was to be new.
            UsageError: no decoder can open it, or no operator runs on it.
        """
        with self._changing():
            known = self._streams.get(name)
            if known and only_new:
                raise Changed(f"stream {name} exists already")
            if known and known.config == stream:
                return False
            self._check(name, stream)
            turn = known.turn + 1 if known else 0
            paused = known.paused if known else False
            self._keep(self._streams | {name: WantedStream(stream, paused, turn)})
            return known is None

    def revise(self, name: str, change: Callable[[StreamConfig], StreamConfig]) -> None:
        """Have a stream that is there be what `change` makes of its entry; same again changes
        nothing.

        Raises:
            NoSuchStream: there is none.
            UsageError: no decoder can open it, or no operator runs on it.
        """
        with self._changing():
            known = self._known(name)
            stream = change(known.config)
            if stream != known.config:
                self._check(name, stream)
                anew = replace(known, config=stream, turn=known.turn + 1)
                self._keep(self._streams | {name: anew})

    def remove(self, name: str) -> None:
        """Have a stream end and be forgotten.

        Raises:
            NoSuchStream: there is none.
        """
        with self._changing():
            self._known(name)
            self._keep({one: stream for one, stream in self._streams.items() if one != name})

    def pause(self, name: str) -> None:
        """Have a stream left alone until it is resumed.

        Raises:
            NoSuchStream: there is none.
        """
        self._change(name, lambda stream: replace(stream, paused=True))

    def resume(self, name: str, *, ended: bool = False) -> None:
        """Have a stream that is paused go on, or one that has `ended` begin anew; of one that is
        neither nothing changes.

        Raises:
            NoSuchStream: there is none.
        """
        self._change(
            name, lambda stream: replace(stream, paused=False, turn=stream.turn + int(ended))
        )

    def replace(self, config: Config, *, tag: str | None = None) -> list[str]:
        """Have the streams that another configuration names; those that are the same stay as they
        are, paused ones too.

        Args:
            config: may differ from the job's in its streams alone.
            tag: the one that the change was made for; None: whatever is there now.

        Returns:
            Names of the streams that are added, changed or removed.

        Raises:
            Changed: there is another tag by now.
            UsageError: something else differs, or a stream cannot be opened or run; nothing is
                changed.
        """
        with self._changing():
            if tag is not None and tag != self._etag():
                raise Changed("the configuration was changed by somebody else; read it again")
            self._refuse_other_keys(config)
            kept: Streams = {}
            touched = [name for name in self._streams if name not in config.streams]
            for name, stream in config.streams.items():
                known = self._streams.get(name)
                if known and known.config == stream:
                    kept[name] = known
                    continue
                self._check(name, stream)
                touched.append(name)
                kept[name] = WantedStream(stream, turn=known.turn + 1 if known else 0)
            if touched:
                self._keep(kept)
            return touched

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One thread at a time, and only where streams may change."""
        if self._fixed:
            raise Fixed(
                "this is a replay: its streams are those that it began with, and none is added, "
                "changed, paused or removed; nothing was changed"
            )
        with self._lock:
            yield

    def _change(self, name: str, change: Callable[[WantedStream], WantedStream]) -> None:
        with self._changing():
            self._keep(self._streams | {name: change(self._known(name))})

    def _keep(self, streams: Streams) -> None:
        self._streams = streams
        configs = {name: stream.config for name, stream in streams.items()}
        self._config = self._config.model_copy(update={"streams": configs})
        self._changes += 1

    def _known(self, name: str) -> WantedStream:
        if name not in self._streams:
            near = get_close_matches(name, list(self._streams), n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {len(self._streams)}"
            raise NoSuchStream(f"no stream is called {name}; {hint}")
        return self._streams[name]

    def _check(self, name: str, stream: StreamConfig) -> None:
        self._check_runs(stream_spec(self._config, name, stream, live=True))

    def _refuse_other_keys(self, config: Config) -> None:
        keys = type(config).model_fields.keys() - {"streams"}
        refuse_other_keys(
            {key for key in keys if getattr(config, key) != getattr(self._config, key)}
        )

    def _etag(self) -> str:
        return f"{self._life}-{self._changes}"


def refuse_other_keys(changed: Set[str]) -> None:
    """Keys beside the streams that somebody wants to change.

    Raises:
        UsageError: there are some.
    """
    if changed:
        raise UsageError(
            f"{', '.join(sorted(changed))} cannot be changed while the job runs, only streams can; "
            "nothing was changed: start the job again, it goes on from its last commits"
        )
