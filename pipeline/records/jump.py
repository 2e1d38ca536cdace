"""A place in a topic that is not there: reading goes on at another one. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Jump:
    """Where reading was to go on, and where it does.

    Attributes:
        topic: without the prefix; "" for all of a database.
        partition: of the topic, 0 in SQLite.
        wanted: offset of the next record, had it been there.
        at: offset that is read instead.
    """

    topic: str
    partition: int
    wanted: int
    at: int

    @property
    def is_rewind(self) -> bool:
        """The topic, or the database, was made anew: it is read from its beginning."""
        return self.at < self.wanted

    @property
    def lost(self) -> int:
        """Offsets that nobody can read any more: at most so many records, as ends of transactions
        have offsets, too."""
        return max(0, self.at - self.wanted)

    def __str__(self) -> str:
        where = f"{self.topic}, partition {self.partition}" if self.topic else "the database"
        if self.is_rewind:
            return (
                f"{where}: there is no offset {self.wanted}; it was made anew, or lost records, "
                f"and is read again from {self.at}"
            )
        return (
            f"{where}: offsets {self.wanted} to {self.at - 1} are gone, as old records are, before "
            f"they were read; it goes on at {self.at}"
        )
