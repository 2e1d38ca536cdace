"""Settings of the Kafka client: what users may choose, and what is never said aloud."""

from __future__ import annotations

import logging
import subprocess

import pytest

from operators.errors import UsageError
from pipeline import secrets
from pipeline.secrets import mask, mask_values
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.uri import open_reader, open_sink
from tests.authority import Authority

URI = "kafka://127.0.0.1:1?topic_prefix=dinostream"


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is a password here is a part of a hash elsewhere."""
    monkeypatch.setattr(secrets, "_known", {})


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
    authority = Authority(tmp_path / "authority")
    chosen = settings(
        security_protocol="SASL_SSL",
        ssl_cafile=str(authority.crt),
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


LOGIN = {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN"}
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
    KafkaSettings.of(address, CLEAR | {"security_protocol": "SASL_SSL"})


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_nor_does_what_can_be_guessed_or_used_from_it(mechanism, tmp_path):
    (tmp_path / "token").write_text("t0ken")
    login = {"sasl_plain_username": "alice", "sasl_plain_password": "correct-horse"}
    if mechanism == "OAUTHBEARER":
        login = {"sasl_oauth_token_file": str(tmp_path / "token")}
    chosen = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": mechanism, **login}
    address = parse_sink_uri("kafka://broker1:9092")
    with pytest.raises(UsageError, match="would go to broker1 in clear"):
        KafkaSettings.of(address, chosen)
    KafkaSettings.of(address, chosen | {"cleartext_password": True})
    KafkaSettings.of(parse_sink_uri("kafka://localhost:9092"), chosen)


def test_a_proxy_elsewhere_sees_what_goes_to_its_own_loopback():
    address = parse_sink_uri("kafka://localhost:9092")
    for_a_proxy = CLEAR | {"proxy_url": "socks5://proxy.example:1080"}
    with pytest.raises(UsageError, match=r"would go to proxy\.example in clear"):
        KafkaSettings.of(address, for_a_proxy)


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
        ({"security_protocol": "SASL_SSL"}, "logs in, and no sink setting says how; set sasl_mech"),
        (LOGIN, "PLAIN needs the sink setting sasl_plain_username"),
        (LOGIN | {"sasl_plain_username": "alice"}, "needs the sink setting sasl_plain_password"),
        (LOGIN | {"sasl_mechanism": "OAUTHBEARER"}, "needs the sink setting sasl_oauth_token_file"),
        (
            LOGIN | {"sasl_mechanism": "GSSAPI", "sasl_plain_username": "a"},
            "nothing with sasl_mech",
        ),
    ],
)
def test_what_asks_for_protection_that_is_switched_off_is_refused(chosen, said):
    with pytest.raises(UsageError, match=said):
        settings(**chosen)


def test_passwords_are_masked_from_then_on():
    chosen = settings(
        **LOGIN,
        sasl_plain_username="alice",
        sasl_plain_password="correct-horse",
        proxy_url="socks5://me:battery-staple@proxy:1080",
    )
    assert "correct-horse" not in repr(chosen) + repr(chosen.producer(Deadline(10)))
    assert "correct-horse" not in mask("login failed: correct-horse")
    assert "battery-staple" not in mask("via battery-staple")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"security_protocol": "SSL", "ssl_check_hostname": False}, "ssl_check_hostname is off"),
        (CLEAR | {"cleartext_password": True}, "cleartext_password is on"),
    ],
)
def test_what_is_weakened_is_said(chosen, said, caplog):
    with caplog.at_level(logging.WARNING):
        settings(**chosen)
    assert said in caplog.text


def test_files_of_tls_that_cannot_be_used_are_bad_usage(tmp_path):
    authority = Authority(tmp_path / "authority")
    one, other = authority.certify("one"), authority.certify("other")
    pair = {"security_protocol": "SSL", "ssl_certfile": str(one.crt)}
    sealed = tmp_path / "sealed.key"
    seal = "openssl pkey -aes256 -passout pass:geheim -out"
    subprocess.run([*seal.split(), sealed, "-in", one.key], check=True)
    for wrong, said in (
        ({"ssl_cafile": str(one.key)}, "ssl_cafile is .*which holds no certificate in PEM"),
        ({"ssl_crlfile": str(one.key)}, "holds no list of revocations in PEM"),
        (pair | {"ssl_keyfile": str(other.key)}, "which is not the key of .*one.crt"),
        (pair, "no certificate with its key can be read"),
        (pair | {"ssl_keyfile": str(sealed)}, "ssl_password has to open it"),
        (pair | {"ssl_keyfile": str(sealed), "ssl_password": "wr0ng"}, "has to open it"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            settings(**{"security_protocol": "SSL", **wrong})
        assert "wr0ng" not in str(caught.value)
    settings(**pair, ssl_keyfile=str(sealed), ssl_password="geheim")
    settings(**pair | {"ssl_certfile": str(one.both)})
    with pytest.raises(UsageError, match="ssl_keyfile does nothing without ssl_certfile"):
        settings(security_protocol="SSL", ssl_keyfile=str(one.key))


def test_a_token_in_place_of_its_file_is_not_shown():
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2VjcmV0"
    chosen = LOGIN | {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_file": token}
    with pytest.raises(UsageError, match="path of a file that can be read") as caught:
        settings(**chosen)
    assert "eyJ" not in str(caught.value)
    assert "eyJ" not in str(mask_values(chosen))


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
