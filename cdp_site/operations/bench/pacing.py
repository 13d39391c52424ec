"""A sender that keeps its pace, whatever it is answered. Knows no Django: a spawned process imports this alone."""

import base64
import http.client
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

# So many requests may be on their way at once; a sender that runs out of them is late, and its lateness is counted.
CONNECTIONS = 8

CUT_OFF = 0  # instead of a status: the connection ended without an answer


@dataclass(frozen=True)
class Pace:
    """What to send: requests a second, each of so many messages, for so many seconds."""

    requests_per_second: float
    messages: int
    seconds: float
    mark: str  # makes the messages of this run new ones


@dataclass(frozen=True)
class Answers:
    """Milliseconds from when each request was due to its whole answer, and the statuses in the same order."""

    milliseconds: list[float]
    statuses: list[int]

    def count(self, status: int) -> int:
        return self.statuses.count(status)


class Sender:
    """Posts batches from a process of its own at a set pace. `begin`, then `answers`; several may send at once."""

    def __init__(self, *, port: int, write_key: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._inbox: Any = context.Queue()
        self._done: Any = context.Queue()
        self._process = context.Process(target=_serve, args=(port, write_key, self._inbox, self._done), daemon=True)
        self._process.start()

    def begin(self, pace: Pace) -> None:
        self._inbox.put(pace)

    def answers(self) -> Answers:
        found: Answers = self._done.get(timeout=600)
        return found

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *error: object) -> None:
        self._inbox.put(None)
        self._process.join(timeout=10)


def _serve(port: int, write_key: str, inbox: Any, done: Any) -> None:
    key = base64.b64encode(f"{write_key}:".encode()).decode()
    headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
    while (pace := inbox.get()) is not None:
        n_requests = round(pace.requests_per_second * pace.seconds)
        bodies = [_body(pace, number) for number in range(n_requests)]
        begun = time.perf_counter() + 0.1

        def send_share(start: int, *, bodies: list[bytes] = bodies, begun: float = begun, pace: Pace = pace) -> Any:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            found = []
            for number in range(start, len(bodies), CONNECTIONS):
                due = begun + number / pace.requests_per_second
                if (early := due - time.perf_counter()) > 0:
                    time.sleep(early)
                try:
                    connection.request("POST", "/v1/batch", bodies[number], headers)
                    answer = connection.getresponse()
                    answer.read()
                    status = answer.status
                except (OSError, http.client.HTTPException):
                    connection.close()  # opened anew by the next request
                    status = CUT_OFF
                found.append(((time.perf_counter() - due) * 1000, status))
            connection.close()
            return found

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            answers = [one for share in pool.map(send_share, range(CONNECTIONS)) for one in share]
        done.put(Answers([milliseconds for milliseconds, _ in answers], [status for _, status in answers]))


def _body(pace: Pace, number: int) -> bytes:
    messages = ",".join(
        f'{{"type":"track","event":"Product Viewed","userId":"u{place}","messageId":"{pace.mark}-{number}-{place}",'
        f'"properties":{{"product_id":"SKU-{place:04d}","name":"รองเท้าผ้าใบ","price":{200 + place}}}}}'
        for place in range(pace.messages)
    )
    return f'{{"batch":[{messages}]}}'.encode()
