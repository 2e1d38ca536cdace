"""Which errors of the Kafka client another attempt would meet again, and which tell the most."""

from __future__ import annotations

from collections.abc import Iterator

from kafka import errors

from pipeline.sinks.kafka.deadline import Stalled
from pipeline.sinks.kafka.token_file import TokenError

TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)


class LoginInClear(errors.KafkaConnectionError):  # type: ignore[misc]  # kafka-python has no types
    """A broker sent us where a login may not be shown."""


REFUSED = (  # by the broker, however often it is tried
    *TOO_LARGE,
    errors.AuthorizationError,
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    errors.UnsupportedCodecError,
    errors.InvalidTopicError,
    errors.InvalidReplicationFactorError,
    errors.InvalidPartitionsError,
    errors.UnsupportedVersionError,
    errors.InvalidTransactionTimeoutError,
    errors.PolicyViolationError,
    LoginInClear,
    TokenError,
)
SILENT = (Stalled, errors.KafkaTimeoutError, errors.RequestTimedOutError, errors.NodeNotReadyError)
# The client keeps of some refusals only the text: of answers to InitProducerId, of TLS.
NAMES = tuple(kind.__name__ for of in REFUSED for kind in (of, *of.__subclasses__()))
TLS_ANSWER = "Invalid frame length: 3525"  # 0x1503....: what should be a length is a TLS alert
DISTRUST = ("ALERT_CERTIFICATE_UNKNOWN", "ALERT_CERTIFICATE_EXPIRED", "ALERT_UNKNOWN_CA")
TEXTS = (*NAMES, "CERTIFICATE_VERIFY_FAILED", "ALERT_BAD_CERTIFICATE", TLS_ANSWER)
TEXTS += ("CERTIFICATE_REQUIRED", *DISTRUST)


def hopeless(error: BaseException) -> bool:
    """Another attempt would end in the same way."""
    return any(
        isinstance(one, REFUSED) or any(text in str(one) for text in TEXTS)
        for one in _wrapped(error)
    )


def telling(error: BaseException) -> int:
    """How much an error says of what is wrong: 2 it is refused, 1 something, 0 that time is up."""
    if hopeless(error):
        return 2
    return 0 if isinstance(error, SILENT) else 1


def described(error: BaseException) -> str:
    """Kind and text; most of the client's texts begin with the kind."""
    kind, text = type(error).__name__, str(error)
    return text if kind in text else f"{kind}: {text}" if text else kind


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was made from, and what it was made of."""
    yield error
    for inner in (error.__cause__, *error.args):
        if isinstance(inner, BaseException):
            yield from _wrapped(inner)
