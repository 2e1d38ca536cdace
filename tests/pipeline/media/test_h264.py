"""A missing reference picture is seen by the numbers of those around it."""

from __future__ import annotations

import random

import pytest

from pipeline.media.h264 import PictureNumbers, Place


class Bits:
    """Writes what the reader reads."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, count: int, value: int) -> Bits:
        self.text += f"{value:0{count}b}" if count else ""
        return self

    def ue(self, value: int) -> Bits:
        digits = f"{value + 1:b}"
        self.text += "0" * (len(digits) - 1) + digits
        return self

    def data(self) -> bytes:
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        payload = bytes(int(text[k : k + 8], 2) for k in range(0, len(text), 8))
        return payload.replace(b"\0\0\0", b"\0\0\3\0").replace(b"\0\0\1", b"\0\0\3\1")


def sequence_set(*, number_bits: int = 4, gaps: int = 0, profile: int = 66) -> bytes:
    bits = Bits().u(8, profile).u(16, 30).ue(0)
    if profile == 100:
        bits.ue(1).ue(0).ue(0).u(1, 0).u(1, 1).u(1, 1)  # scaling matrix; its first list:
        bits.ue(0).ue(16)  # a difference of 0, then -8: the rest is as the default
        bits.u(7, 0)
    bits.ue(number_bits - 4).ue(0).ue(2).ue(4).u(1, gaps)
    return b"\x67" + bits.data()


PICTURE_SET = b"\x68" + Bits().ue(0).ue(0).data()


def picture(number: int, *, idr: bool = False, reference: bool = True, bits: int = 4) -> bytes:
    head = 0x65 if idr else 0x41 if reference else 0x01
    return bytes([head]) + Bits().ue(0).ue(7).ue(0).u(bits, number).u(8, 0).data()


def recovery(count: int) -> bytes:
    other = b"\x05\x02ab"
    payload = Bits().ue(count).u(4, 8).data()
    return b"\x06" + other + bytes([6, len(payload)]) + payload + b"\x80"


def annex_b(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def numbers(*units: bytes) -> PictureNumbers:
    return PictureNumbers(annex_b(*(units or (sequence_set(), PICTURE_SET))))


def missing(seen: PictureNumbers, pictures: list[bytes]) -> list[int]:
    places = [seen.see(annex_b(one)) for one in pictures]
    return [place.missing for place in places if place]


def test_pictures_that_follow_each_other_miss_nothing() -> None:
    whole = [picture(0, idr=True), *(picture(k % 16) for k in range(1, 40)), picture(0, idr=True)]
    assert missing(numbers(), [*whole, picture(1)]) == [0] * 42


def test_pictures_nobody_refers_to_do_not_count() -> None:
    """I P b b P b: b carry the number of the reference picture to come."""
    kinds = [(1, True), (2, False), (2, False), (2, True), (3, False)]
    pictures = [picture(0, idr=True), *(picture(n, reference=r) for n, r in kinds)]
    assert missing(numbers(), pictures) == [0] * 6
    assert missing(numbers(), pictures[:2] + pictures[4:]) == [0] * 4  # both b between lost
    assert missing(numbers(), pictures[:1] + pictures[2:]) == [0, 1, 0, 0, 0]


@pytest.mark.parametrize(("last", "next_", "count"), [(3, 5, 1), (3, 9, 5), (14, 1, 1), (15, 1, 1)])
def test_how_many_are_missing_at_least(last: int, next_: int, count: int) -> None:
    """14 to 1: 15 and 0 are missing, or an IDR picture that begins at 0."""
    pictures = [picture(0, idr=True), *(picture(k) for k in range(1, last + 1)), picture(next_)]
    assert missing(numbers(), pictures)[-1] == count


def test_a_damaged_number_is_no_thousand_pictures() -> None:
    wide = numbers(sequence_set(number_bits=16), PICTURE_SET)
    assert missing(wide, [picture(0, idr=True, bits=16), picture(40_000, bits=16)]) == [0, 1]


def test_where_the_stream_may_leave_numbers_out_nothing_is_missing() -> None:
    assert missing(numbers(sequence_set(gaps=1), PICTURE_SET), [picture(0), picture(5)]) == [0, 0]


def test_high_profiles_with_scaling_lists() -> None:
    high = numbers(sequence_set(profile=100, number_bits=9), PICTURE_SET)
    assert missing(high, [picture(300, bits=9), picture(302, bits=9)]) == [0, 1]


def test_where_decoding_can_begin() -> None:
    seen = numbers()
    assert seen.see(annex_b(picture(0, idr=True))) == Place(0, True, 0)
    assert seen.see(annex_b(recovery(12), picture(1))) == Place(0, True, 12)
    assert seen.see(annex_b(picture(2, reference=False))) == Place(0, False, None)


def test_units_with_lengths_and_sets_from_the_containers_record() -> None:
    units = (sequence_set(), PICTURE_SET)
    record = bytes([1, 66, 0, 30, 0xFF, 0xE1])
    record += len(units[0]).to_bytes(2) + units[0] + b"\1" + len(units[1]).to_bytes(2) + units[1]
    seen = PictureNumbers(record)
    packets = [recovery(3), picture(4), picture(6)]
    assert [seen.see(len(one).to_bytes(4) + one) for one in packets] == [
        None, Place(0, True, None), Place(1, True, None),
    ]  # fmt: skip


def test_after_a_seek_the_first_misses_nothing() -> None:
    seen = numbers()
    seen.see(annex_b(picture(3)))
    seen.forget()
    assert missing(seen, [picture(9)]) == [0]


def test_a_picture_of_unknown_sets_has_no_place() -> None:
    assert PictureNumbers(None).see(annex_b(picture(1))) is None


@pytest.mark.parametrize(
    ("units", "announces"),
    [
        ([b"\x09\x10"], True),
        ([b"\x09\x10", sequence_set(), PICTURE_SET, recovery(1)], True),
        ([b"\x09\x10", picture(1)], False),
        ([b"\x09\x10", b"\x41"], False),  # cut off, but something of a picture
        ([b"\x09\x10", b"\x18"], False),  # who knows what it was
        ([], False),
    ],
)
def test_what_stands_before_a_picture_is_none(units: list[bytes], announces: bool) -> None:
    assert numbers().announces(annex_b(*units)) is announces


@pytest.mark.parametrize("seed", range(20))
def test_garbage_never_raises(seed: int) -> None:
    rng = random.Random(seed)
    good = annex_b(sequence_set(profile=100), PICTURE_SET, recovery(300), picture(3))
    for _ in range(200):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 9)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        del data[rng.randrange(len(data)) :]
        PictureNumbers(bytes(data)).see(bytes(data))
        PictureNumbers(bytes([1, *data])).see(bytes(data))
