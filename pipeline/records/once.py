"""Delivers each record once, and nothing of a writer that was replaced.

Records of a topic in the order of its partitions -> whether a consumer should see them. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

RECORDED_SESSION_CHARS = 12


class Once:
    """Remembers 16 bytes per record (about 100 in memory), and an epoch per partition, stream and
    variant."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._epochs: dict[tuple[str, int, str, str, str], int] = {}

    def delivers(self, topic: str, headers: Mapping[str, str], *, partition: int = 0) -> bool:
        """False for a record that was there before, and for one of an older epoch than one before.

        Args:
            topic: where the record lies; ids are unique in a topic.
            headers: `ce_` attributes.
            partition: of the topic; only within one is there an order.
        """
        if self._is_stale(topic, partition, headers):
            return False
        digest = hashlib.blake2b(f"{topic} {headers['ce_id']}".encode(), digest_size=16).digest()
        if digest in self._seen:
            return False
        self._seen.add(digest)
        return True

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
        self._epochs[key] = max(newest, int(epoch))
        return int(epoch) < newest
