"""What is written in one round is not written again in the next: readers would leave it out."""

from __future__ import annotations

from benchmarks.delivery.load import CHUNK, LOADS, streams_of
from pipeline.stream.progress import Progress


def test_rounds_that_go_on_behind_each_other_write_each_id_once():
    standing = {name: Progress("job", name) for name in streams_of(3)}
    rounds = [list(LOADS[0].commits(standing, CHUNK + 5, begin=n * (CHUNK + 5))) for n in range(3)]
    ids = [message.id for commits in rounds for one in commits for message in one.messages]
    assert len(set(ids)) == len(ids) == 3 * (CHUNK + 5)
