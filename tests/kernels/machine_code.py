"""Reads in what order machine code issues and waits: products, exponentials, copies, barriers."""

import re

MARKS = {
    "WARPGROUP.ARRIVE": "A",  # products may begin
    "HGMMA": "H",
    "WARPGROUP.DEPBAR.LE gsb0, 0x1": "1",  # all products but the last have ended
    "WARPGROUP.DEPBAR.LE gsb0, 0x0": "0",
    "MUFU.EX2": "e",
    "LDGSTS": "l",  # a copy to shared memory begins
    "DEPBAR.LE SB0, 0x1": "w",  # all copies but the last group have ended
    "DEPBAR.LE SB0, 0x0": "v",
    "BAR.SYNC": "b",
    "SYNCS.PHASECHK": "?",  # a barrier in shared memory is waited for
    "SYNCS.ARRIVE": "^",  # and told that this group has done
    "ARRIVES.LDGSTSBAR": "!",  # or that this thread's copies are there
}


_ANY = re.compile("|".join(rf"({re.escape(start)})" for start in MARKS).replace(r"\ ", r"\s+"))
_LETTERS = tuple(MARKS.values())


def order(code: tuple[str, ...], marks: str = "AH1e0") -> str:
    """The marked instructions that are asked for, a letter each."""
    found = (_ANY.match(line) for line in code)
    letters = (_LETTERS[mark.lastindex - 1] for mark in found if mark)
    return "".join(letter for letter in letters if letter in marks)


def highest_register(code: tuple[str, ...]) -> int:
    """Of all that are named."""
    return max(int(number) for line in code for number in re.findall(r"\bR(\d+)", line))
