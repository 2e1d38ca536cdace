"""confluent-kafka, where it is installed; and what its errors are called everywhere else here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from kafka import errors

from operators.errors import UsageError
from pipeline.secrets import mask

OWN = {  # what librdkafka says by itself; what brokers say has the same numbers for all clients
    "_FENCED": errors.ProducerFencedError,
    "_AUTHENTICATION": errors.SaslAuthenticationFailedError,
    "_TIMED_OUT": errors.KafkaTimeoutError,
    "_MSG_TIMED_OUT": errors.KafkaTimeoutError,
    "_TIMED_OUT_QUEUE": errors.KafkaTimeoutError,
    "_TRANSPORT": errors.KafkaConnectionError,
    "_RESOLVE": errors.KafkaConnectionError,
    "_ALL_BROKERS_DOWN": errors.KafkaConnectionError,
    "_SSL": errors.KafkaConnectionError,
}


def confluent_kafka() -> Any:
    """The library.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import confluent_kafka as library
    except ImportError:
        raise UsageError(
            "sink setting client confluent needs confluent-kafka; pip install "
            "'dinostream[confluent]', or leave client out"
        ) from None
    return library


def open_producer(arguments: Mapping[str, Any], tell: Callable[[Exception], None]) -> Any:
    """A producer that connects by itself from now on.

    Args:
        arguments: librdkafka's.
        tell: hears of connections that fail, on another thread.

    Raises:
        UsageError: it is not installed, or does not take the arguments.
    """
    library = confluent_kafka()
    logger = logging.Logger("librdkafka")
    logger.disabled = True  # what it would say on stderr its errors say here
    try:
        return library.Producer(
            {**arguments, "error_cb": lambda error: tell(translated(error)), "logger": logger}
        )
    except library.KafkaException as error:
        said = mask(error.args[0].str())
        raise UsageError(f"the settings cannot be used by client confluent: {said}") from None


def translated(error: Any) -> Exception:
    """A `KafkaError` of confluent-kafka, or the exception around one, as kafka-python has it."""
    inner = error.args[0] if isinstance(error, Exception) and error.args else error
    of_brokers = errors.for_code(inner.code()) if inner.code() > 0 else errors.KafkaError
    kind: type[Exception] = OWN.get(inner.name(), of_brokers)
    return kind(inner.str())


def failure() -> type[Exception]:
    """What its calls raise."""
    kind: type[Exception] = confluent_kafka().KafkaException
    return kind
