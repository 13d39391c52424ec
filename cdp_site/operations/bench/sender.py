"""A sender that behaves as the SDKs do: it keeps a batch until it is answered with 200, and sends it again else."""

import base64
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

TIMEOUT_SECONDS = 10.0
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0


@dataclass
class Sender:
    """Sends `events` track events in batches, from `connections` threads that take a breath after each.

    `acknowledged` are the message ids of batches that were answered with 200; `answers` counts statuses, 0 for a
    connection that broke. `bad` are answers that no SDK can live with: neither 200 nor one that asks to come again.
    """

    port: int
    key: str
    events: int
    batch: int = 100
    breath_seconds: float = 0.0
    connections: int = 4
    patience_seconds: float = 600.0
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    bad: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def is_done(self) -> bool:
        return len(self.acknowledged) >= self.events

    def message_ids(self, number: int) -> list[str]:
        return [f"trial-{n}" for n in range(number * self.batch, min((number + 1) * self.batch, self.events))]

    def run(self) -> None:
        """Until every batch is acknowledged, or the patience is at its end."""
        deadline = time.monotonic() + self.patience_seconds
        batches = iter(range(-(-self.events // self.batch)))
        with ThreadPoolExecutor(self.connections) as pool:
            for done in [pool.submit(self._work, batches, deadline) for _connection in range(self.connections)]:
                done.result()

    def stop(self) -> None:
        self._stopped.set()

    def _work(self, batches: Iterator[int], deadline: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        with closing(connection):
            self._work_on(connection, batches, deadline)

    def _work_on(self, connection: http.client.HTTPConnection, batches: Iterator[int], deadline: float) -> None:
        while True:
            with self._lock:
                number = next(batches, None)
            if number is None:
                return
            pause = PAUSE_SECONDS
            while not self._send(connection, number):
                if time.monotonic() > deadline or self._stopped.wait(pause):
                    return
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
            if self._stopped.wait(self.breath_seconds):
                return

    def _send(self, connection: http.client.HTTPConnection, number: int) -> bool:
        """Whether the batch was acknowledged."""
        ids = self.message_ids(number)
        try:
            connection.request("POST", "/v1/batch", _body(ids), _headers(self.key))
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            with self._lock:
                self.answers[0] += 1
            return False
        with self._lock:
            self.answers[response.status] += 1
            if response.status == 200:
                self.acknowledged.update(ids)
                return True
            if response.status not in (429, 503):
                self.bad.append(f"{response.status} {text[:200]!r}")
            elif "Retry-After" not in response.headers:
                self.without_retry_after += 1
        return False


def _headers(key: str) -> dict[str, str]:
    return {
        "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
        "Content-Type": "application/json",
    }


def _body(ids: list[str]) -> bytes:
    now = datetime.now(UTC).isoformat()
    events = [
        {
            "type": "track",
            "event": "Product Viewed",
            "messageId": one,
            "userId": f"user-{hash(one) % 500}",
            "timestamp": now,
            "properties": {"sku": f"SKU-{len(one)}"},
        }
        for one in ids
    ]
    return json.dumps({"batch": events, "sentAt": now}).encode()
