"""In which order a commit's messages are sent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.records.mark import Place
from pipeline.records.record import Message

Group = Sequence[Message]
Send = Callable[[Group], Sequence[Place]]
"""Sends messages, and says where they lie once all are acknowledged."""
Then = Callable[[Sequence[Place]], Group]
"""Is told where the last group lies, and says what else belongs to it."""


def send_together(groups: Sequence[Group], send: Send, then: Then) -> None:
    """In a transaction, where nothing is seen before all is: one wait for all groups."""
    places = send([message for group in groups for message in group])
    send(then(places[len(places) - len(groups[-1]) :]))


def send_in_turn(groups: Sequence[Group], send: Send, then: Then) -> None:
    """Without a transaction: progress is never there before what it tells of."""
    places: Sequence[Place] = ()
    for group in groups:
        places = send(group)
    send(then(places))
