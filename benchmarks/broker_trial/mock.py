"""librdkafka's mock cluster: brokers in this process, on loopback, that fail as they are told to.

It knows no transactions worth the name: numbers of batches are not looked at, nobody is fenced, so
what is proved on it is that records are there at least once, under their ids.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import confluent_kafka  # noqa: F401  # brings the library

PRODUCE = 0
DROPPED = -195  # in place of an error's code: the connection breaks
_PRODUCER = 0


class MockCluster:
    """Attributes:
    servers: their addresses, with commas between them.
    """

    def __init__(self, brokers: int = 3) -> None:
        self._library = _library()
        configuration = self._call("rd_kafka_conf_new", result=ctypes.c_void_p)
        text = ctypes.create_string_buffer(512)
        self._client = self._call(
            *(
                "rd_kafka_new",
                _PRODUCER,
                ctypes.c_void_p(configuration),
                text,
                ctypes.c_size_t(512),
            ),
            result=ctypes.c_void_p,
        )
        if not self._client:
            raise RuntimeError(text.value.decode())
        self._cluster = self._call(
            *("rd_kafka_mock_cluster_new", ctypes.c_void_p(self._client), brokers),
            result=ctypes.c_void_p,
        )
        self.brokers = range(1, brokers + 1)
        self.servers = self._told(
            "rd_kafka_mock_cluster_bootstraps", result=ctypes.c_char_p
        ).decode()

    def __enter__(self) -> MockCluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._told("rd_kafka_mock_cluster_destroy", result=None)
        self._call("rd_kafka_destroy", ctypes.c_void_p(self._client), result=None)

    def topic(self, name: str, partitions: int) -> None:
        """Make a topic; three brokers have what is written to it."""
        self._told("rd_kafka_mock_topic_create", name.encode(), partitions, len(self.brokers))

    def fail(self, request: int, code: int, times: int) -> None:
        """Answer the next requests of a kind with an error."""
        codes = (ctypes.c_int * times)(*[code] * times)
        self._told(
            "rd_kafka_mock_push_request_errors_array",
            *(ctypes.c_int16(request), ctypes.c_size_t(times), codes),
        )

    def forgive(self, request: int) -> None:
        """Answer requests of a kind as they should be, from now on."""
        self._told("rd_kafka_mock_clear_request_errors", ctypes.c_int16(request), result=None)

    def delay(self, milliseconds: int) -> None:
        """Answer everything so much later."""
        for broker in self.brokers:
            self._told("rd_kafka_mock_broker_set_rtt", broker, milliseconds)

    def lead(self, topic: str, partition: int, broker: int) -> None:
        """Have a broker lead a partition."""
        self._told("rd_kafka_mock_partition_set_leader", topic.encode(), partition, broker)

    def down(self) -> None:
        """All brokers close their connections and take none."""
        for broker in self.brokers:
            self._told("rd_kafka_mock_broker_set_down", broker)

    def up(self) -> None:
        for broker in self.brokers:
            self._told("rd_kafka_mock_broker_set_up", broker)

    def _told(self, name: str, *arguments: Any, result: Any = ctypes.c_int) -> Any:
        return self._call(name, ctypes.c_void_p(self._cluster), *arguments, result=result)

    def _call(self, name: str, *arguments: Any, result: Any) -> Any:
        function = getattr(self._library, name)
        function.restype = result
        return function(*arguments)


def _library() -> ctypes.CDLL:
    """The copy that `confluent_kafka` has loaded."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return ctypes.CDLL(next(line.split()[-1] for line in lines if "librdkafka" in line))
