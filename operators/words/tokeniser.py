"""CLIP's byte-pair encoding (Radford et al. 2021, after Sennrich et al. 2016): a text in -> numbers
of its pieces out. Knows nothing of what is made of them.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from operators.words.merges import SPECIAL, Merge

START, END = "<|startoftext|>", "<|endoftext|>"  # as upstream spells them

_END_OF_WORD = "</w>"
_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")  # of curly quotes


class Tokeniser:
    """One vocabulary: the pieces of bytes, those with the end of a word, the joined ones in their
    order, then start and end of a text."""

    def __init__(self, merges: Sequence[Merge]) -> None:
        """
        Args:
            merges: pairs of pieces that are joined, the first ones first.
        """
        symbols = _symbols()
        self._symbols = [symbols[byte] for byte in range(256)]
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        ends = (symbol + _END_OF_WORD for symbol in symbols.values())
        joined = (first + second for first, second in merges)
        self._numbers = {
            piece: number for number, piece in enumerate(chain(symbols.values(), ends, joined))
        }
        self.size = 2 * len(symbols) + len(merges) + SPECIAL
        """How many numbers there are."""

    def __call__(self, text: str) -> list[int]:
        """Start of text, pieces, end of text; of any length."""
        pieces = [piece for word in words_of(cleaned(text)) for piece in self._pieces(word)]
        return [self.size - 2, *(self._numbers[piece] for piece in pieces), self.size - 1]

    def _pieces(self, word: str) -> list[str]:
        """A word's bytes, joined until no neighbours are a pair."""
        symbols = [self._symbols[byte] for byte in word.encode("utf-8")]
        pieces = [*symbols[:-1], symbols[-1] + _END_OF_WORD]
        while True:
            known = [pair for pair in pairwise(pieces) if pair in self._ranks]
            if not known:
                return pieces
            pieces = _joined(pieces, min(known, key=self._ranks.__getitem__))


def cleaned(text: str) -> str:
    """As CLIP reads a text: lower case, one space between words, entities of HTML as what they
    mean, accents in one character with their letters, straight quotes.

    Upstream also has what was decoded wrongly repaired (by `ftfy`), which is not done here.
    """
    plain = html.unescape(html.unescape(text)).translate(_STRAIGHT)
    return " ".join(unicodedata.normalize("NFC", plain).split()).lower()


def words_of(text: str) -> Iterator[str]:
    """English contractions, runs of letters, single digits, and runs of what is neither."""
    at = 0
    while at < len(text):
        end = _end_of_word(text, at)
        if not text[at].isspace():
            yield text[at:end]
        at = end


def _end_of_word(text: str, at: int) -> int:
    for one in _CONTRACTIONS:
        if text.startswith(one, at):
            return at + len(one)
    kind, end = _kind(text[at]), at + 1
    while kind != "digit" and end < len(text) and _kind(text[end]) == kind:
        end += 1
    return end


def _kind(character: str) -> str:
    if character.isspace():
        return "space"
    return {"L": "letter", "N": "digit"}.get(unicodedata.category(character)[0], "other")


def _joined(pieces: Sequence[str], pair: Merge) -> list[str]:
    """Wherever the pair stands it becomes one piece, from the left."""
    out: list[str] = []
    at = 0
    while at < len(pieces):
        both = tuple(pieces[at : at + 2]) == pair
        out.append("".join(pair) if both else pieces[at])
        at += 2 if both else 1
    return out


def _symbols() -> dict[int, str]:
    """Byte -> a character that can be seen, in the order of the vocabulary: those of Latin-1 that
    can be seen are themselves, the others follow from U+0100 on."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    seen += range(ord("®"), ord("ÿ") + 1)
    others = [byte for byte in range(256) if byte not in seen]
    own = {byte: chr(byte) for byte in seen}
    return own | {byte: chr(256 + turn) for turn, byte in enumerate(others)}
