"""Who may talk to a broker: listeners of every kind; credentials that are right, wrong, expired and
of others."""

from __future__ import annotations

import json
import logging
import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from traceback import TracebackException
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from benchmarks.broker_trial.node import Node
from pipeline import subscribe
from pipeline.cli import main
from pipeline.configuration.config import SinkConfig
from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.records.outage import Outage
from pipeline.records.record import Message
from pipeline.runtime.examination import reach_sink
from pipeline.secrets import mask
from pipeline.sinks.kafka import absence
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.reading import Plan
from pipeline.sinks.uri import open_reader, open_sink
from tests.authority import Authority, Certificate
from tests.tokens import AUDIENCE, Issuer

pytestmark = [
    pytest.mark.needs_kafka,
    # kafka-python leaves the sockets of connections that fail to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning"),
]

LISTENERS = {  # name -> protocol; TLS with a certificate that is right, expired, of a stranger
    "TLS": "SSL",
    "EXPIRED": "SSL",
    "FOREIGN": "SSL",
    "MUTUAL": "SSL",
    "PLAIN": "SASL_SSL",
    "SCRAM": "SASL_SSL",
    "OAUTH": "SASL_SSL",
    "AWAY": "SASL_PLAINTEXT",  # says that it is reached elsewhere
}
PASSWORD, WRONG = "correct-horse-battery", "tr0ub4dor"
SESSION_MS, WAIT_S = 2000, 60.0
WEAKENED = "ssl_check_hostname is off: whoever is in between can pose as the broker"
MODULES = "org.apache.kafka.common.security"


@dataclass
class Guarded:
    """A broker with all of them."""

    ports: dict[str, int]
    ours: Authority
    strangers: Authority
    issuer: Issuer
    stranger: Issuer
    me: Certificate
    folder: Path

    def address(self, name: str, host: str = "localhost") -> str:
        return f"kafka://{host}:{self.ports[name]}?topic_prefix=secure"

    @property
    def tls(self) -> dict[str, Any]:
        return {"security_protocol": "SSL", "ssl_cafile": str(self.ours.crt), "attempt_s": 4}

    def login(self, mechanism: str, **more: Any) -> dict[str, Any]:
        return self.tls | {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": mechanism,
            "sasl_plain_username": "alice",
            "sasl_plain_password": PASSWORD,
            **more,
        }

    def token(self, token: str) -> dict[str, Any]:
        """Settings with a file of its own for it."""
        path = self.folder / f"token{len(list(self.folder.iterdir()))}"
        path.write_text(f"{token}\n")
        login = {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_file": str(path)}
        return self.tls | {"security_protocol": "SASL_SSL", **login}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, spare_ports, cold_broker: Node) -> Iterator[Guarded]:
    if not shutil.which("openssl"):
        pytest.skip("certificates are made with openssl")
    folder = tmp_path_factory.mktemp("guarded")
    ours, strangers = Authority(folder / "ours"), Authority(folder / "strangers")
    issuer, stranger = Issuer(folder / "issuer"), Issuer(folder / "stranger")
    node, me = ours.certify("node"), ours.certify("me")
    stores = {"EXPIRED": ours.certify("old", days=-1), "FOREIGN": strangers.certify("node")}
    plain, control, *numbers = spare_ports(2 + len(LISTENERS))
    ports = dict(zip(LISTENERS, numbers, strict=True))
    inner = f"CLIENT://127.0.0.1:{plain}"
    outer = {name: f"{name}://localhost:{port}" for name, port in ports.items()}
    told = outer | {"AWAY": f"AWAY://broker.example:{ports['AWAY']}"}
    cold_broker.folder.mkdir()
    (cold_broker.folder / "port").write_text(str(plain))
    settings = [
        f"listeners={inner},CONTROLLER://127.0.0.1:{control},{','.join(outer.values())}",
        f"advertised.listeners={inner},{','.join(told.values())}",
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT,"
        + ",".join(f"{name}:{protocol}" for name, protocol in LISTENERS.items()),
        f"ssl.keystore.location={node.both}",
        f"ssl.truststore.location={ours.crt}",
        "ssl.keystore.type=PEM",
        "ssl.truststore.type=PEM",
        *(f"listener.name.{n.lower()}.ssl.keystore.location={c.both}" for n, c in stores.items()),
        "listener.name.mutual.ssl.client.auth=required",
        *_logins("plain", "PLAIN", f'plain.PlainLoginModule required user_alice="{PASSWORD}";'),
        *_logins("away", "PLAIN", f'plain.PlainLoginModule required user_alice="{PASSWORD}";'),
        *_logins("scram", "SCRAM-SHA-256", "scram.ScramLoginModule required;"),
        *_logins("scram", "SCRAM-SHA-512", "scram.ScramLoginModule required;"),
        "listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512",
        *_logins("oauth", "OAUTHBEARER", "oauthbearer.OAuthBearerLoginModule required;"),
        "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class="
        f"{MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler",
        f"sasl.oauthbearer.jwks.endpoint.url={issuer.keys.as_uri()}",
        f"sasl.oauthbearer.expected.audience={AUDIENCE}",
        f"listener.name.oauth.oauthbearer.connections.max.reauth.ms={SESSION_MS}",
        "sasl.oauthbearer.clock.skew.seconds=0",
        f"sasl.oauthbearer.jwt.validator.class={MODULES}.oauthbearer.BrokerJwtValidator",
    ]
    with pytest.MonkeyPatch.context() as patch:
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={issuer.keys.as_uri()}"
        patch.setenv("JDK_JAVA_OPTIONS", allowed)
        cold_broker.start(*settings)
    admin = KafkaAdminClient(bootstrap_servers=[f"127.0.0.1:{plain}"])
    kinds = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
    for kind in kinds:
        user = UserScramCredentialUpsertion("alice", kind, PASSWORD, iterations=4096)
        assert admin.alter_user_scram_credentials([user]) == {"alice": None}
    admin.close()
    return Guarded(ports, ours, strangers, issuer, stranger, me, folder)


def _logins(listener: str, mechanism: str, module: str) -> list[str]:
    name = f"listener.name.{listener}"
    return [
        f"{name}.sasl.enabled.mechanisms={mechanism}",
        f"{name}.{mechanism.lower()}.sasl.jaas.config={MODULES}.{module}",
    ]


def files(certificate: Certificate) -> dict[str, str]:
    return {"ssl_certfile": str(certificate.crt), "ssl_keyfile": str(certificate.key)}


def refusal(address: str, settings: dict[str, Any]) -> SinkError:
    """What a claim ends with."""
    sink = open_sink(address, settings=settings)
    with closing(sink), pytest.raises(SinkError) as caught:
        sink.claim({"cam1": "feedfacecafe"})
    return caught.value


def with_locals(error: BaseException) -> str:
    """A traceback as debuggers and error trackers show it, from below the test."""
    assert error.__traceback__
    whole = TracebackException(type(error), error, error.__traceback__.tb_next, capture_locals=True)
    return "".join(whole.format())


def test_who_is_refused_is_told_why(guarded: Guarded, caplog):
    at, tls, login, token = guarded.address, guarded.tls, guarded.login, guarded.token
    wrong = {"sasl_plain_password": WRONG}
    past, foreign = guarded.ours.certify("past", days=-1), guarded.strangers.certify("me")
    shown = {k: v for k, v in login("PLAIN").items() if not k.startswith("ssl_")}
    shown["security_protocol"] = "SASL_PLAINTEXT"
    refused = [
        ("certificate is for another name", at("TLS", "127.0.0.1"), tls),
        ("its certificate has expired", at("EXPIRED"), tls),
        ("ssl_cafile must be the file of the authority", at("FOREIGN"), tls),
        ("wants a certificate of its clients: set ssl_certfile", at("MUTUAL"), tls),
        ("does not take the certificate of ssl_certfile", at("MUTUAL"), tls | files(past)),
        ("does not take the certificate of ssl_certfile", at("MUTUAL"), tls | files(foreign)),
        ("refuses the login; are sasl_plain_username", at("PLAIN"), login("PLAIN", **wrong)),
        ("does not offer this sasl_mechanism", at("PLAIN"), login("SCRAM-SHA-256")),
        ("refuses the login", at("SCRAM"), login("SCRAM-SHA-256", **wrong)),
        ("refuses the login", at("SCRAM"), login("SCRAM-SHA-512", sasl_plain_username="eve")),
        ("expired 20", at("OAUTH"), token(guarded.issuer.token(-5))),
        ("refuses the token; has it expired", at("OAUTH"), token(guarded.stranger.token(99))),
        ("is good until", at("OAUTH"), token(guarded.issuer.token(99, audience="others"))),
        ("holds no token; it must be one alone", at("OAUTH"), token("two words")),
        ("would go to broker.example in clear, for all in", at("AWAY"), shown),
    ]
    with caplog.at_level(logging.DEBUG):
        told = [(words, refusal(address, settings)) for words, address, settings in refused]
    for words, error in told:
        assert words in str(error)
        assert not error.retryable, words
        assert PASSWORD not in with_locals(error)
    secrets = [PASSWORD, WRONG, "eyJ", b64encode(f"\0alice\0{PASSWORD}".encode()).decode()]
    said = "".join(str(error) for _, error in told) + caplog.text
    assert [secret for secret in secrets if secret in said] == []


def test_who_may_delivers_and_reads(guarded: Guarded, build):
    name = "certificate is for another name, which does not matter"
    right = {
        "tls": (guarded.address("TLS"), guarded.tls),
        name: (guarded.address("TLS", "127.0.0.1"), guarded.tls | {"ssl_check_hostname": False}),
        "mutual": (guarded.address("MUTUAL"), guarded.tls | files(guarded.me)),
        "plain": (guarded.address("PLAIN"), guarded.login("PLAIN")),
        "scram 256": (guarded.address("SCRAM"), guarded.login("SCRAM-SHA-256")),
        "scram 512": (guarded.address("SCRAM"), guarded.login("SCRAM-SHA-512")),
        "token": (guarded.address("OAUTH"), guarded.token(guarded.issuer.token(600))),
    }
    for number, (way, (address, settings)) in enumerate(right.items()):
        with closing(open_sink(address, settings=settings)) as sink:
            progress = build.after(sink.claim({"cam1": "feedfacecafe"})["cam1"])
            sink.commit([Commit([build.message(number)], progress)])
        with closing(open_reader(address, settings=settings)) as reader:
            newest = [record.message for record in reader.records()][-1]
        assert newest == build.message(number), way


def exchange(file: Path, token: str) -> None:
    """As whoever renews tokens does it: nobody sees half of one."""
    fresh = file.with_suffix(".fresh")
    fresh.write_text(token)
    fresh.rename(file)


def test_a_token_is_renewed_while_a_run_writes_and_somebody_follows(guarded, build, caplog):
    """In time, of which nobody hears; and late, which is an outage of the sink."""
    address = f"{guarded.address('OAUTH')}.renewed"
    good, expired = guarded.issuer.token(600), guarded.issuer.token(-5)
    settings = guarded.token(good)
    file = Path(settings["sasl_oauth_token_file"])
    followed: Queue[Message] = Queue()

    def followers() -> list[str]:
        return [one.message for one in caplog.records if one.name == absence.__name__]

    def renew(outage: Outage | None) -> None:
        if outage and followers():  # both have met it
            exchange(file, good)

    with (
        closing(PatientSink(open_sink(address, settings=settings), tell=renew)) as sink,
        closing(open_reader(address, settings=settings)) as reader,
        closing(reader.read(Plan(follow=True))) as reading,
    ):
        progress = sink.claim({"cam1": "feedfacecafe"})["cam1"]
        last = -1

        def commit() -> None:
            nonlocal progress, last
            progress, last = build.after(progress), last + 1
            sink.commit([Commit([build.message(last)], progress)])

        commit()
        thread = Thread(target=lambda: [followed.put(record.message) for record in reading])
        thread.start()
        try:
            assert followed.get(timeout=WAIT_S) == build.message(0)
            exchange(file, renewed := guarded.issuer.token(500))
            while mask(renewed) == renewed:  # nobody has read it yet
                commit()
            assert caplog.text == ""
            exchange(file, expired)
            while not sink.take_ended():
                commit()
            while followed.get(timeout=WAIT_S) != build.message(last):
                pass
        finally:
            reading.interrupt()
            thread.join()
    assert "it refuses the token; has it expired" in followers()[0]
    assert "is back after" in followers()[-1]


def test_every_client_says_what_is_weakened_and_works(guarded, tmp_path, capsys, caplog):
    settings = guarded.tls | {"ssl_check_hostname": False}
    address = guarded.address("TLS", "127.0.0.1").replace("secure", "weakened")
    config = tmp_path / "run.yaml"
    sink = {"uri": address, "settings": settings}
    config.write_text(json.dumps({"sink": sink, "runtime": "inline", "weights": "demo"}))
    scene = ["synthetic:world?seed=1&seconds=1", "--fps", "1", "--operator", "embedding"]
    commands = {
        "replay": [*scene, "--config"],
        "tail": [address, "--config"],
        "topics list": [address, "--config"],
        "topics create": [address, "--config"],
        "audit": [address, "--config"],
    }
    for command, words in commands.items():
        code, told = main([*command.split(), *words, str(config)]), capsys.readouterr().err
        assert (code, WEAKENED in told) == (0, True), f"{command}: {told}"
    assert list(subscribe(address, topics=["embedding"], settings=settings, follow=False))
    assert WEAKENED in capsys.readouterr().err + caplog.text
    assert "answers" in reach_sink(SinkConfig(**sink))
