"""Settings of the Kafka client: what users may choose, and what is never said aloud."""

from __future__ import annotations

import logging

import pytest

from operators.errors import UsageError
from pipeline.secrets import mask
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.uri import open_reader, open_sink

URI = "kafka://127.0.0.1:1?topic_prefix=dinostream"


def settings(**chosen):
    return KafkaSettings.of(parse_sink_uri(URI), chosen)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"acks": 0}, "no setting 'acks'; dinostream sets the others"),
        ({"enable_idempotence": False}, "no setting 'enable_idempotence'"),
        ({"sasl_mechanisms": "PLAIN"}, "did you mean sasl_mechanism"),
        ({"attempts": 3}, "did you mean attempt_s"),
        ({"attempt_s": 0}, "attempt_s is 0; allowed are 1 to 300"),
        ({"attempt_s": 301}, "attempt_s is 301; allowed are 1 to 300"),
        ({"attempt_s": "soon"}, "attempt_s is 'soon'"),
        ({"deadline_s": 60}, "attempt_s limits one attempt, the configuration's patience_s how"),
        ({"security_protocol": "TLS"}, "allowed are PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        ({"compression": "rar"}, "allowed are none, gzip, lz4, zstd"),
        ({"compression_type": "lz4"}, "it is called compression: none, gzip, lz4, zstd"),
        ({"cleartext_password": "yes"}, "must be of type bool"),
        ({"ssl_cafile": "/no/such/file"}, "path of a file that can be read"),
        ({"batch_size": "large"}, "must be of type int"),
        ({"batch_size": True}, "must be of type int"),
        ({"batch_size": 0}, "must be above 0"),
        ({"ssl_check_hostname": "no"}, "must be of type bool"),
        ({"sasl_plain_password": 12345678}, r"sasl_plain_password is \*\*\*; it must be of type"),
    ],
)
def test_settings_that_cannot_be_are_bad_usage(chosen, said):
    for opener in (open_sink, open_reader):
        with pytest.raises(UsageError, match=said):
            opener(URI, settings=chosen)


def test_chosen_settings_reach_every_client(tmp_path):
    (tmp_path / "ca.pem").touch()
    chosen = settings(
        security_protocol="SASL_SSL",
        ssl_cafile=str(tmp_path / "ca.pem"),
        sasl_mechanism="PLAIN",
        sasl_plain_username="alice",
        sasl_plain_password="correct-horse",
        compression="zstd",
        fetch_max_bytes=5,
    )
    deadline = Deadline(10)
    for config in (chosen.shared(deadline), chosen.producer(deadline), chosen.consumer(deadline)):
        assert config["security_protocol"] == "SASL_SSL"
        assert config["sasl_plain_password"] == "correct-horse"
    assert chosen.producer(deadline)["compression_type"] == "zstd"
    assert chosen.consumer(deadline)["fetch_max_bytes"] == 5
    assert "fetch_max_bytes" not in chosen.producer(deadline)


@pytest.mark.parametrize(
    ("chosen", "given"), [(None, "gzip"), ("none", None), ("lz4", "lz4"), ("zstd", "zstd")]
)
def test_batches_are_compressed_as_chosen_and_as_every_client_reads_where_nothing_is(chosen, given):
    made = settings(**({"compression": chosen} if chosen else {}))
    assert made.producer(Deadline(10))["compression_type"] == given


CLEAR = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "PLAIN",
    "sasl_plain_username": "alice",
    "sasl_plain_password": "correct-horse",
}


@pytest.mark.parametrize("server", ["broker1:9092", "127.0.0.1:9092,10.0.0.7:9092", "127.evil:1"])
def test_no_password_leaves_the_machine_in_clear(server):
    address = parse_sink_uri(f"kafka://{server}")
    with pytest.raises(UsageError, match="in clear, for all in between to read; use") as caught:
        KafkaSettings.of(address, CLEAR)
    assert "correct-horse" not in str(caught.value)
    KafkaSettings.of(address, CLEAR | {"cleartext_password": True})
    KafkaSettings.of(address, CLEAR | {"sasl_mechanism": "SCRAM-SHA-512"})
    KafkaSettings.of(address, CLEAR | {"security_protocol": "SASL_SSL"})


@pytest.mark.parametrize("server", ["localhost:9092", "127.0.0.1:9092", "[::1]:9092"])
def test_on_the_machine_itself_it_may(server):
    KafkaSettings.of(parse_sink_uri(f"kafka://{server}"), CLEAR)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"sasl_mechanism": "PLAIN"}, "sasl_mechanism does nothing with security_protocol PLAIN"),
        ({"sasl_plain_password": "x1y2z3", "security_protocol": "SSL"}, "set .* to SASL_SSL"),
        ({"ssl_check_hostname": True}, "ssl_check_hostname does nothing .*to SSL, or leave"),
        (CLEAR | {"ssl_check_hostname": True}, "with security_protocol SASL_PLAINTEXT"),
    ],
)
def test_what_asks_for_protection_that_is_switched_off_is_refused(chosen, said):
    with pytest.raises(UsageError, match=said):
        settings(**chosen)


def test_passwords_are_masked_from_then_on():
    chosen = settings(
        security_protocol="SASL_SSL",
        sasl_plain_password="correct-horse",
        proxy_url="socks5://me:battery-staple@proxy:1080",
    )
    assert "correct-horse" not in repr(chosen)
    assert "correct-horse" not in mask("login failed: correct-horse")
    assert "battery-staple" not in mask("via battery-staple")


def test_a_check_that_is_switched_off_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        settings(security_protocol="SSL", ssl_check_hostname=False)
    assert "ssl_check_hostname is off" in caplog.text


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("dinostream.depth", "depth"),
        ("dinostream.depth.summary", "depth.summary"),
        ("dinostream.mood", "mood"),
        ("dinostream.mood.summary", "mood.summary"),
        ("dinostream.test.depth", None),
        ("dinostream.a.b.depth.summary", None),
        ("other.depth", None),
        ("dinostream", None),
        ("__consumer_offsets", None),
    ],
)
def test_topics_of_others_are_told_apart(topic, name):
    assert settings().name(topic) == name
