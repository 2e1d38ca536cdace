"""Why a client does not get through to its broker: said by real listeners of every kind."""

from __future__ import annotations

import logging
import shutil
import subprocess

import pytest
from kafka import errors

from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.sinks.kafka.deadline import Stalled
from pipeline.sinks.kafka.errors import explained
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.sink import KafkaSink
from pipeline.sinks.kafka.trouble import DESERTED_S, Trouble
from pipeline.sinks.uri import open_reader, open_sink
from pipeline.testing import ManualClock

TLS, LOGIN, TLS_LOGIN, ASTRAY, MUTUAL = range(5)  # listeners, by their places
ALICE = {
    "sasl_mechanism": "PLAIN",
    "sasl_plain_username": "alice",
    "sasl_plain_password": "correct-horse",
}


def certificate(folder, name):
    """A key and what its owner says of itself: for `localhost`, by no authority."""
    paths = folder / f"{name}.key", folder / f"{name}.crt"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -addext subjectAltName=DNS:localhost"
    command = ["openssl", *words.split(), "-subj", f"/CN={name}", "-keyout", paths[0], "-out"]
    subprocess.run([*command, paths[1]], check=True, capture_output=True)
    (folder / f"{name}.pem").write_bytes(b"".join(path.read_bytes() for path in paths))
    return str(paths[1])


@pytest.fixture
def listeners(own_broker, spare_ports, tmp_path):
    """One broker that listens in many ways; gives (ports, the plain one last; file of its CA)."""
    if not shutil.which("openssl"):
        pytest.skip("certificates are made with openssl")
    trusted = certificate(tmp_path, "node")
    plain, _, nobody, *ports = spare_ports(8)
    own_broker.folder.mkdir()
    (own_broker.folder / "port").write_text(str(plain))
    names = ("TLS", "LOGIN", "TLSLOGIN", "ASTRAY", "MUTUAL")
    told = [nobody if name == "ASTRAY" else port for name, port in zip(names, ports, strict=True)]
    plain_login = "plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule"
    alice = 'required user_alice="correct-horse";'

    def addresses(numbers):
        pairs = zip(names, numbers, strict=True)
        return ",".join(f"{name}://localhost:{number}" for name, number in pairs)

    own_broker.start(
        f"listeners=CLIENT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{plain + 1},"
        f"{addresses(ports)}",
        f"advertised.listeners=CLIENT://127.0.0.1:{plain},{addresses(told)}",
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT,ASTRAY:PLAINTEXT,"
        "TLS:SSL,LOGIN:SASL_PLAINTEXT,TLSLOGIN:SASL_SSL,MUTUAL:SSL",
        "listener.name.mutual.ssl.client.auth=required",
        "sasl.enabled.mechanisms=PLAIN",
        f"ssl.keystore.location={tmp_path}/node.pem",
        f"ssl.truststore.location={trusted}",
        "ssl.keystore.type=PEM",
        "ssl.truststore.type=PEM",
        f"listener.name.login.{plain_login} {alice}",
        f"listener.name.tlslogin.{plain_login} {alice}",
    )
    return [*ports, plain], trusted


def told(port, host="localhost", *, attempt_s=30, **settings):
    """What a claim ends with; None where it does not."""
    sink = open_sink(f"kafka://{host}:{port}", settings={"attempt_s": attempt_s, **settings})
    try:
        sink.claim({"cam1": "feedfacecafe"})
    except SinkError as error:
        return error
    finally:
        sink.close()
    return None


@pytest.mark.needs_kafka
@pytest.mark.slow
def test_what_keeps_a_client_from_its_broker_is_said(listeners, tmp_path, build, caplog):
    ports, trusted = listeners
    tls = {"security_protocol": "SSL", "ssl_cafile": trusted}
    stranger = tls | {"ssl_cafile": certificate(tmp_path, "stranger")}
    login = {"security_protocol": "SASL_PLAINTEXT", **ALICE}
    both = {**tls, **login, "security_protocol": "SASL_SSL"}
    wrong = {"sasl_plain_password": "tr0ub4dor"}

    with caplog.at_level(logging.DEBUG):
        refused = {
            "the login; are sasl_plain_username and sasl": told(ports[LOGIN], **(login | wrong)),
            "refuses the login": told(ports[TLS_LOGIN], **(both | wrong)),
            "does not offer this sasl_mechanism": told(
                ports[LOGIN], **login | {"sasl_mechanism": "SCRAM-SHA-256"}
            ),
            "wants no login there": told(ports[-1], "127.0.0.1", **login),
            "certificate is for another name": told(ports[TLS], "127.0.0.1", **tls),
            "ssl_cafile must be the file": told(ports[TLS], **stranger),
            "answers in TLS; set security_protocol to SSL": told(ports[TLS]),
            "it answers in TLS": told(ports[TLS_LOGIN], **login),
            "wants a certificate of its clients: set ssl_certfile": told(ports[MUTUAL], **tls),
        }
        waited_for = {
            "breaks the TLS handshake off, as a listener without": told(
                ports[LOGIN], attempt_s=4, **both
            ),
            "closes them, as who wants TLS or a login does": told(ports[LOGIN], attempt_s=4),
            "(its advertised.listeners), and it is not": told(ports[ASTRAY], attempt_s=4),
        }
    for words, error in (refused | waited_for).items():
        assert words in str(error)
        assert error.retryable is (words in waited_for), words
    assert "tr0ub4dor" not in f"{refused!r}{waited_for!r}{caplog.text}"

    sink = open_sink(f"kafka://localhost:{ports[TLS_LOGIN]}", settings=both)
    progress = build.after(sink.claim({"cam1": "feedfacecafe"})["cam1"])
    sink.commit([Commit([build.message(1)], progress)])
    sink.close()
    reader = open_reader(f"kafka://127.0.0.1:{ports[LOGIN]}", settings=login)
    assert [record.message for record in reader.records()] == [build.message(1)]


def test_the_failure_that_tells_the_most_is_kept_until_it_is_cleared():
    trouble = Trouble()
    for error in (
        errors.KafkaConnectionError("socket disconnected"),
        errors.KafkaConnectionError("111 ECONNREFUSED"),
        errors.KafkaTimeoutError("late"),
    ):
        trouble.note("a:1", error, advertised=True)
    assert str(trouble.worst) == (
        "a broker says that it is reached at a:1 (its advertised.listeners), and it is not: "
        "KafkaConnectionError: 111 ECONNREFUSED"
    )
    trouble.note("b:2", errors.SaslAuthenticationFailedError("no"), advertised=False)
    trouble.note("a:1", errors.KafkaConnectionError("gone"), advertised=True)
    assert trouble.worst.final
    assert str(trouble.worst).startswith("b:2: it refuses the login")
    trouble.clear()
    assert trouble.worst is None


def test_after_a_deadline_what_told_the_most_is_said():
    """Not the last error, which only knows that its time was up."""
    sink = KafkaSink(KafkaSettings(("127.0.0.1:1",), "p", attempt_s=2))
    told = iter([errors.NotLeaderForPartitionError("moved")])

    def attempt(_):
        raise next(told, Stalled("no answer within 0.1 s"))

    with pytest.raises(SinkError, match=r"not confirmed within .*NotLeader.*moved") as caught:
        sink._until("writing", attempt)
    assert "no answer" not in str(caught.value)


def test_a_login_that_worked_and_is_refused_is_an_outage_and_at_the_start_the_end():
    settings = KafkaSettings(("127.0.0.1:1",), "p", attempt_s=5)
    refused = errors.SaslAuthenticationFailedError("no")
    settings.trouble.note("127.0.0.1:1", refused, advertised=False)
    at_start, later = (
        explained(Stalled("none"), settings, "commit 1", 5, worked=worked)
        for worked in (False, True)
    )
    assert "it refuses the login" in str(at_start)
    assert (at_start.retryable, later.retryable) == (False, True)


def test_who_is_refused_for_a_while_where_a_broker_should_be_is_deserted():
    clock = ManualClock()
    trouble = Trouble(clock)
    refused = errors.KafkaConnectionError("111 ECONNREFUSED")

    def note(after_s, error=refused, *, advertised=True):
        clock.advance(after_s)
        trouble.note("b:9092", error, advertised=advertised)
        return trouble.deserted

    assert not note(0)
    assert not note(DESERTED_S - 0.1)
    clock.advance(60)
    assert not trouble.deserted, "nobody has asked since: another broker may lead"
    assert note(0)
    trouble.begin_attempt()
    assert trouble.worst is not None
    assert not trouble.deserted
    assert not note(0, advertised=False)
    assert not note(60, advertised=False), "an address of the user's; another one may do"
    assert not note(0, errors.KafkaConnectionError("timed out"))
    assert not note(60, errors.KafkaConnectionError("timed out"))
