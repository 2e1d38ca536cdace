"""The manifests of one job of a stream, in order: which there are, which are missing. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from pipeline.audit.book import NEVER_US, Book, Claim
from pipeline.audit.finding import MISSING, UNACCOUNTED, Finding
from pipeline.records.manifest import Manifest, Untold
from pipeline.records.series import Series
from pipeline.stream.ledger import SETTLED
from pipeline.stream.progress import Progress

MOST_CLAIMS = 512  # of a series that are kept apart; even


class Chain:
    """Manifests as they come, each once.

    Attributes:
        ended: the newest tells of the stream's end, and nothing was committed since.
        tells: the job's version writes manifests.
        operators: the ledger, as far as it is known.
    """

    def __init__(self, *, since: bool, afresh: bool = False) -> None:
        """
        Args:
            since: what the oldest that comes tells of may be older than what is asked for.
            afresh: a run before it has its first manifests too, which are there once.
        """
        self._since = since
        self._afresh = afresh
        self._ids: dict[int, str] = {}
        self._claims: dict[Series, list[Claim]] = defaultdict(list)
        self._next = 0  # number of the manifest behind the newest that is known of
        self._ended_epoch: int | None = None
        self.tells = True
        self.operators: Mapping[str, Mapping[str, int]] = {}

    @property
    def ended(self) -> bool:
        return self._ended_epoch is not None

    @property
    def manifests(self) -> int:
        """How many there are."""
        return len(self._ids)

    def takes(self, manifest: Manifest, identity: str, published_us: int, epoch: int) -> bool:
        """Take the next one; false where it is of another run of the job, done afresh with other
        records. One that is here already is taken again."""
        if (known := self._ids.get(manifest.number)) is not None:
            return known == identity
        whole = bool(self._ids) or not self._since
        self._ids[manifest.number] = identity
        if manifest.number + 1 > self._next:
            self._next = manifest.number + 1
            self.operators = manifest.operators
            self._ended_epoch = epoch if manifest.ended else None
        for series, count in manifest.series.items():
            self._add(series, Claim(count, published_us, whole))
        return True

    def go_on(self, progress: Progress) -> None:
        """How far the job is with what no manifest tells of yet."""
        untold = Untold.of(progress)
        self.tells = bool(self._ids or progress.untold or not progress.sequence)
        if not progress.untold or untold.number < self._next:
            return  # there was a manifest since
        whole = bool(self._ids) or not self._since
        self._next = untold.number
        self.operators = progress.ledger
        if untold.series or progress.running:
            self._ended_epoch = None
        for series, count in untold.series.items():
            self._add(series, Claim(count, NEVER_US, whole))

    def _add(self, series: Series, claim: Claim) -> None:
        claims = self._claims[series]
        claims.append(claim)
        if len(claims) > MOST_CLAIMS:  # two and two together; the first may not be a whole one
            pairs = zip(claims[1::2], claims[2::2], strict=True)
            claims[1:] = [one + other for one, other in pairs]

    def books(self) -> dict[Series, Book]:
        """A book for each series that there is something said of."""
        return {
            series: Book(series, claims, ended_epoch=self._ended_epoch)
            for series, claims in self._claims.items()
        }

    @property
    def missing(self) -> list[int]:
        """Numbers of manifests that are not there."""
        late = self._since or self._afresh
        first = min(self._ids, default=self._next) if late else 0
        return [number for number in range(first, self._next) if number not in self._ids]

    def findings(self, manifests: Series) -> list[Finding]:
        """What is wrong with the manifests, and with the ledger at the end.

        Args:
            manifests: the series that they themselves are.
        """
        found = []
        if missing := self.missing:
            numbers = ", ".join(map(str, missing[:8])) + ("..." if len(missing) > 8 else "")
            what = f"number {numbers} of the manifests"
            found.append(Finding(MISSING, len(missing), manifests, detail=what))
        for name, row in self.operators.items() if self.ended else ():
            if open_frames := row.get("sampled", 0) - sum(row.get(one, 0) for one in SETTLED):
                found.append(Finding(UNACCOUNTED, abs(open_frames), detail=f"operator {name}"))
        return found
