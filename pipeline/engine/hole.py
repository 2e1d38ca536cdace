"""What a recording's lane must not commit past: frames that were decoded and never came."""

from __future__ import annotations

from pipeline.errors import RuntimeFailure


def refuse_hole(stream: str, before: int | None, here: int) -> None:
    """The cursor would pass the hole, and no resume would repair it.

    Args:
        stream: its id.
        before: frames that must have come, as the decoder counted them; None: nobody did.
        here: frames that have.

    Raises:
        RuntimeFailure: some are missing.
    """
    if before is not None and before != here:
        raise RuntimeFailure(
            f"{stream}: {before} sampled frames were decoded up to here and {here} have "
            "arrived, which is a bug; run again: it goes on from the last commit"
        )
