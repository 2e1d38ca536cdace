"""Signs of a frame -> what is wrong with the view, and how much. Must not know time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from operators.tamper.usual import Signs

CLEAR = "clear"
SHARE = 0.7  # of the view that has to have changed
BLIND = 0.7  # of the pixels that usually say something, those that have become black or white
SOFT = 0.4  # loss of fine detail
SEEN_BY_WEIGHTS = 0.2  # of the change of structure: so much the weights have to see too
LEAVE = 0.7  # part of its threshold at which what is wrong goes on

STRENGTH: Mapping[str, Callable[[Signs], float]] = {
    "frozen": lambda signs: float(signs.still),
    "blinded": lambda signs: max(signs.dark, signs.bright),
    "covered": lambda signs: min(signs.changed, signs.flat),
    "moved": lambda signs: signs.changed,
    "defocused": lambda signs: signs.soft,
}
"""What may be wrong, the first that is stands -> how much, 0 to 1."""


def verdict(signs: Signs, held: str, share: float) -> str:
    """One of `STRENGTH`, or `CLEAR`.

    Args:
        signs: of the frame.
        held: what was wrong before, which ends only well below where it begins.
        share: of the view that has to have changed for `covered` and `moved`.
    """

    def least(kind: str, threshold: float) -> float:
        return threshold * LEAVE if kind == held else threshold

    if signs.still:
        return "frozen"
    if max(signs.dark, signs.bright) >= least("blinded", BLIND):
        return "blinded"
    changed = signs.changed >= least("covered" if held == "covered" else "moved", share)
    if changed and signs.flat >= least("covered", share) * signs.changed:
        return "covered"
    if changed and signs.layout >= SEEN_BY_WEIGHTS * least("moved", share):
        return "moved"
    return "defocused" if signs.soft >= least("defocused", SOFT) else CLEAR
