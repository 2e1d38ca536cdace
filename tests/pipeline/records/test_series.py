"""Places compare as streams go on; counts add up in any order."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest

from pipeline.records.series import Count, Place, counted, digest


def test_places_compare_as_the_stream_goes_on():
    recording = ["-/-.ended.aa", "a1b2c3d4e5f6/-5", "a1b2c3d4e5f6/0", "a1b2c3d4e5f6/9"]
    recording += ["a1b2c3d4e5f6/9+1", "a1b2c3d4e5f6/9+2", "a1b2c3d4e5f6/10.ended.bb"]
    live = ["-/-.disconnected.aa", "1763830800000001/+1", "1763830800000001/0"]
    live += ["1763830800000001/9000", "1763830800000002/0"]
    for texts in (recording, live):
        places = [Place.of(text) for text in texts]
        assert sorted(random.Random(1).sample(places, len(places))) == places
    assert Place.of("a1b2c3d4e5f6/9").recording == "a1b2c3d4e5f6"
    assert {Place.of(text).recording for text in live} == {""}


def test_counts_add_up_in_any_order_and_survive_json(build):
    messages = [build.message(number) for number in range(20)]
    ones = [counted(one)[1] for one in messages]
    total = sum(ones[1:], ones[0])
    random.Random(1).shuffle(ones)
    assert sum(ones[1:], ones[0]) == total
    assert (total.records, total.first.position, total.last.position) == (20, 0, 57_000)
    assert Count.from_json(total.to_json()) == total
    assert counted(replace(messages[0], value=b"{}"))[1].digest != counted(messages[0])[1].digest


def test_a_digest_is_of_what_two_records_of_one_id_have_in_common(build):
    message = build.message()
    headers = {**message.headers, "ce_100%s": "90%d"}  # of a stranger's record, when it is audited
    own = replace(message, headers=headers)
    of_the_run = ("ce_ingesttime", "ce_epoch", "ce_traceparent")
    told = "".join(f"{n}:{headers[n]}\n" for n in sorted(headers) if n not in of_the_run)
    hashed = hashlib.sha256(f"{told}\n".encode() + message.value).digest()
    assert digest(own) == int.from_bytes(hashed[:16])

    again = {**headers, "ce_ingesttime": "later", "ce_epoch": "9", "ce_traceparent": "00-1-2-01"}
    assert digest(replace(own, headers=dict(reversed(again.items())))) == digest(own)


def test_an_id_of_somebody_else_is_refused(build):
    headers = {**build.message().headers, "ce_id": "labels/ade20k/f248e954404c"}
    with pytest.raises(ValueError, match="unpack"):
        counted(replace(build.message(), headers=headers))
