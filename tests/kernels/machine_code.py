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


def product_in_flight(code: tuple[str, ...]) -> tuple[set[int], list[str]]:
    """Of a pass the registers that the product with V reads and writes, and what runs beside it."""
    # It has its weights in registers, and its second operand transposed.
    products = [line for line in code if "HGMMA" in line and "tnspB" in line]
    held = _registers(products[0], 0, 32).union(*(_registers(line, 1, 4) for line in products))
    first = code.index(products[0])
    last = next(i for i, line in enumerate(code) if order((line,), "0"))
    return held, [line for line in code[first:last] if "HGMMA" not in line]


def written(line: str) -> set[int]:
    """At most four registers are written by anything but a wgmma."""
    target = re.match(r"(?!ST|RED|BAR|BRA)\S+ +(?:U?P\w+, )?R(\d+)\b", line)
    width = 4 if ".128" in line else 2 if ".64" in line or ".WIDE" in line else 1
    return set(range(int(target[1]), int(target[1]) + width)) if target else set()


def _registers(line: str, first: int, how_many: int) -> set[int]:
    """Of an instruction's operands the `first` one that is a register, and those behind it."""
    found = int(re.findall(r"\bR(\d+)", line)[first])
    return set(range(found, found + how_many))
