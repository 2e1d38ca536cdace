"""From lanes to the sink and back: commits out, and what became of them to whom it concerns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pipeline.engine.committer import Claimed, Committed, Committer, News, OnDisk, Refusal
from pipeline.engine.lane import Lane
from pipeline.engine.latency import Spent
from pipeline.engine.roster import Roster
from pipeline.engine.scheduler import Scheduler
from pipeline.engine.tally import Tally
from pipeline.engine.tracer import Tracer
from pipeline.records.commit import Commit


class Delivery:
    """Belongs to the shard's loop, as lanes do; the sink's own thread is the committer's."""

    def __init__(
        self,
        committer: Committer,
        roster: Roster,
        scheduler: Scheduler,
        tally: Tally,
        tracer: Tracer | None,
    ) -> None:
        """
        Args:
            committer: of the sink.
            roster: whose lanes hear of their commits, and whose streams are claimed.
            scheduler: is told of those lanes.
            tally: counts what is in the sink.
            tracer: hears what every live frame that is there took; None: nobody does.
        """
        self._committer = committer
        self._roster = roster
        self._scheduler = scheduler
        self._tally = tally
        self._tracer = tracer
        self._kept = Counter[str]()  # stream -> records, since the sink last took something
        self._away = False  # the sink, and that was told

    @property
    def busy(self) -> bool:
        """Something is on its way, or back."""
        return self._committer.busy

    def put(self, commit: Commit) -> None:
        """Send a commit on its way."""
        self._committer.put(commit)

    def claim(self) -> None:
        """Have the streams claimed that were added."""
        for claim in self._roster.take_claims():
            self._committer.put(claim)

    def wait(self, timeout_s: float) -> None:
        """Until the sink has answered, or time is up."""
        self._committer.wait(timeout_s)

    def settle(self) -> bool:
        """Hear what the sink has answered; whether it has.

        Raises:
            SinkAway: its outage was given up.
            RecordsTooLarge: it cannot take what no stream can do without.
            Exception: whatever else the sink raised.
        """
        answers = self._committer.take()
        self._hear(answers)
        return bool(answers)

    def settle_rest(self) -> None:
        """What became of all others, when the committer is closed and nothing goes out any more."""
        left = self._committer.take_left()
        self._hear([one for one in left if isinstance(one, Committed | OnDisk)])

    def _hear(self, answers: Sequence[News]) -> None:
        for answer in answers:
            if isinstance(answer, Claimed):
                self._roster.admit(answer.progresses)
                if answer.error:
                    self._roster.reject(answer.claim.jobs, str(answer.error))
            elif isinstance(answer, Refusal):
                self._put_again(answer)
            elif isinstance(answer, OnDisk):
                self._keep(answer)
            else:
                self._confirm(answer)
        if answers:
            self._tally.kept = dict(self._committer.waiting())

    def _put_again(self, refusal: Refusal) -> None:
        """All of the transaction once more, with dead letters for what the sink cannot take."""
        refused = {(one.topic, one.id) for one in refusal.error.refused}
        mine = [{(m.topic, m.id) for m in commit.messages} & refused for commit in refusal.commits]
        if not any(mine):
            raise refusal.error
        for commit, found in zip(refusal.commits, mine, strict=True):
            if lane := self._roster.lanes.get(commit.progress.stream):
                self.put(lane.refuse(refusal.error) if found else commit)

    def _confirm(self, done: Committed) -> None:
        self._tally.outages += done.outages
        self._tally.count(done.receipt, [m for commit in done.commits for m in commit.messages])
        for commit in done.commits:
            lane = self._roster.lanes.get(commit.progress.stream)
            if lane is None:  # a recording that was cut off meanwhile
                continue
            lane.spilt += commit.lost
            if not lane.outbox.awaits(commit):  # it was kept, and the lane has gone on
                continue
            lane.times.sink_wait.end(done.at_s)
            spent = lane.times.confirm(done.at_s) if lane.confirm() else []
            self._scheduler.wake([lane.stream])
            if spent:
                self._scheduler.pace.see_commit(spent[-1].commit_s)
            if self._tracer and spent:
                self._tracer.see(lane.times.confirmed, spent)
            self._see(lane, commit, spent)
        for outage in done.outages:  # what they dropped meanwhile has its reason
            for lane in self._cameras():
                lane.tell(replace(outage, kept=self._kept.pop(lane.stream, 0)))
                self._scheduler.wake([lane.stream])
        if done.outages:
            self._away = False
        self._kept.clear()

    def _keep(self, kept: OnDisk) -> None:
        """Their lanes go on; the sink's outage is told in front of what is kept next."""
        for commit in kept.commits:
            self._kept[commit.progress.stream] += len(commit.messages)
            lane = self._roster.lanes.get(commit.progress.stream)
            if lane is None or not lane.outbox.awaits(commit):
                continue
            lane.times.sink_wait.end(kept.at_s)
            lane.times.keep()
            if lane.outbox.keep():
                lane.queue.confirm()
            self._scheduler.wake([lane.stream])
            self._see(lane, commit, [])
        if kept.outage and not self._away:
            self._away = True
            for lane in self._cameras():
                lane.tell(replace(kept.outage, over=False))
                self._scheduler.wake([lane.stream])

    def _see(self, lane: Lane, commit: Commit, spent: Sequence[Spent]) -> None:
        if lane.live:
            dropped = dict(lane.shortfall.dropped)
            if lane.spilt:
                dropped["spill"] = lane.spilt
            self._tally.see(commit.progress, lane.frames, dropped, spent, lane.times.newest_us)

    def _cameras(self) -> list[Lane]:
        return [lane for lane in self._roster.lanes.values() if lane.live]
