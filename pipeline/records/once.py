"""Delivers each record once, and nothing of a writer that was replaced, in bounded memory.

Records of a topic in the order of its partitions -> whether a consumer should see them. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Generic, TypeVar

RECORDED_SESSION_CHARS = 12
RECORDS = 250_000  # two hours of a recording with seven records of each of five frames a second
WRITERS = 20_000

K = TypeVar("K")
V = TypeVar("V")


class Once:
    """Tells repeats by their ids, and replaced writers by their epochs; counts both.

    It remembers the last RECORDS ids, 25 to 50 MB of them, and the epochs of the last WRITERS
    recordings, live streams, topics and variants. So

    - a live stream's records come once, whatever is forgotten: its sessions are connections, which
      nobody makes again, and each of its records is committed once;
    - a recording that is done again (`--fresh`, or with another sampling, which shares ids) is
      recognised while no more than RECORDS records of anything were delivered since. What lies
      further back comes again under its old id, with the same payload;
    - what a replaced writer wrote is not delivered behind its successor's while no more than
      WRITERS others wrote since. Where the broker fences, it does not exist in the first place.

    What is new is never taken for a repeat. No bound could make the second exact: jobs of other
    sampling write ids between those of the first, so neither offsets nor epochs nor claims say
    which of a recording's ids were there.
    """

    def __init__(self, *, records: int = RECORDS, writers: int = WRITERS) -> None:
        """
        Args:
            records: ids that are remembered, of twice as many at most.
            writers: epochs that are remembered, of twice as many at most.
        """
        self.repeated = 0
        self.stale = 0
        self._writers = writers
        self._seen: Recent[bytes, None] = Recent(records)
        self._epochs: Recent[tuple[str, int, str, str, str], int] = Recent(writers)

    def delivers(self, topic: str, headers: Mapping[str, str], *, partition: int = 0) -> bool:
        """False for a record that was there before, and for one of an older epoch than one before.

        Args:
            topic: where the record lies; ids are unique in a topic.
            headers: `ce_` attributes.
            partition: of the topic; only within one is there an order.
        """
        if self._is_stale(topic, partition, headers):
            self.stale += 1
            return False
        digest = hashlib.blake2b(f"{topic} {headers['ce_id']}".encode(), digest_size=16).digest()
        if digest in self._seen:
            self.repeated += 1
            return False
        self._seen.put(digest, None)
        return True

    def forget_epochs(self) -> None:
        """Where topics were made anew their writers' epochs may begin anew, too."""
        self._epochs = Recent(self._writers)

    def _is_stale(self, topic: str, partition: int, headers: Mapping[str, str]) -> bool:
        variant, epoch = headers.get("ce_variant"), headers.get("ce_epoch", "")
        if variant is None or not epoch.isdecimal():
            return False
        session = headers.get("ce_session", "")
        # Every connection to a live stream is a session of its own, so there a replaced writer has
        # another session. A recorded one is the file's: two files of one name are two streams.
        scope = session if len(session) == RECORDED_SESSION_CHARS else ""
        key = (topic, partition, headers.get("ce_streamid", ""), scope, variant)
        newest = self._epochs.get(key, 0)
        self._epochs.put(key, max(newest, int(epoch)))
        return int(epoch) < newest


class Recent(Generic[K, V]):
    """The values of the keys that were put last: of `size` at least, of twice as many at most."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._young or key in self._old

    def get(self, key: K, default: V) -> V:
        return self._young[key] if key in self._young else self._old.get(key, default)

    def put(self, key: K, value: V) -> None:
        if key not in self._young and len(self._young) >= self._size:
            self._young, self._old = {}, self._young
        self._young[key] = value
