"""Our settings as librdkafka has them, and those that it cannot have."""

from __future__ import annotations

import sys

import confluent_kafka
import pytest

from operators.errors import UsageError
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.confluent.arguments import arguments
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.uri import check_sink, open_reader, open_sink

URI = "kafka://127.0.0.1:1"
LOGIN = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "PLAIN",
    "sasl_plain_username": "alice",
    "sasl_plain_password": "correct-horse",
}


def said(**chosen):
    settings = {"client": "confluent", **chosen}
    return arguments(KafkaSettings.of(parse_sink_uri(URI), settings), "prefix-1")


def test_every_setting_is_one_that_the_library_takes(tmp_path):
    (tmp_path / "crl.pem").touch()
    found = said(
        **LOGIN,
        client_id="us",
        connections_max_idle_ms=70_000,
        metadata_max_age_ms=60_000,
        receive_buffer_bytes=100_000,
        send_buffer_bytes=100_000,
        batch_size=1000,
        max_request_size=2_000_000,
        transaction_timeout_ms=30_000,
        compression="zstd",
        max_poll_records=7,
    )
    confluent_kafka.Producer(found).close()
    assert (found["sasl.username"], found["sasl.password"]) == ("alice", "correct-horse")
    assert (found["batch.size"], found["message.max.bytes"]) == (1000, 2_000_000)
    assert (found["compression.type"], found["transaction.timeout.ms"]) == ("zstd", 30_000)


def test_a_certificate_is_of_the_name_that_was_asked_for_unless_that_is_switched_off():
    name = "ssl.endpoint.identification.algorithm"
    assert name not in said(security_protocol="SSL"), "the library's default is https"
    assert said(security_protocol="SSL", ssl_check_hostname=True)[name] == "https"
    assert said(security_protocol="SSL", ssl_check_hostname=False)[name] == "none"


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({"proxy_url": "socks5://proxy:1080"}, "proxy_url does not go with client confluent"),
        (
            {"security_protocol": "SASL_SSL", "sasl_mechanism": "GSSAPI"},
            "GSSAPI does not go with client confluent",
        ),
        ({**LOGIN, "security_protocol": "SASL_PLAINTEXT"}, "the login in clear to wherever"),
        ({**LOGIN, "sasl_kerberos_name": "x"}, "sasl_kerberos_name does not go with client"),
        ({"client": "librdkafka"}, "client is 'librdkafka'; allowed are kafka-python, confluent"),
    ],
)
def test_what_it_cannot_do_is_refused_before_anything_begins(chosen, text):
    settings = {"client": "confluent", **chosen}
    for opener in (open_sink, check_sink):
        with pytest.raises(UsageError, match=text):
            opener(URI, settings=settings)


def test_a_library_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(UsageError, match=r"pip install 'dinostream\[confluent\]'"):
        open_sink(URI, settings={"client": "confluent"})
    open_reader(URI, settings={"client": "confluent"}).close()
