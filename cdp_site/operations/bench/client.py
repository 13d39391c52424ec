"""Clients that post to the event API. Knows no Django: their process is spawned and imports this module alone."""

import base64
import multiprocessing
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

CONNECTIONS = 4


class Client:
    """Posts bodies over keep-alive connections from a process of its own, so that it shares no interpreter lock with
    what is measured."""

    def __init__(self, *, port: int, write_key: str) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._inbox = self._context.Queue()
        self._answers = self._context.Queue()
        self._process = self._context.Process(
            target=_serve, args=(port, write_key, self._inbox, self._answers), daemon=True
        )
        self._process.start()

    def post(self, bodies: Sequence[bytes], *, path: str = "/v1/batch") -> int:
        """Post all, as fast as they are answered; returns how many were answered 200. Raises when any was not."""
        self._inbox.put((path, list(bodies), 0.0))
        return len(self.answers())

    def pace(self, bodies: Sequence[bytes], *, seconds_apart: float) -> None:
        """Begin to post them at that pace; `answers` waits for the end."""
        self._inbox.put(("/v1/batch", list(bodies), seconds_apart))

    def answers(self) -> list[float]:
        """When each was answered, in the order of the bodies (`time.monotonic`, one clock for all processes)."""
        answered: list[tuple[int, float]] = self._answers.get(timeout=600)
        statuses = {status for status, _at in answered}
        if statuses != {200}:
            raise RuntimeError(f"the server answered {sorted(statuses)}")
        return [at for _status, at in answered]

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self._inbox.put(None)
        self._process.join(timeout=10)


def _serve(port: int, write_key: str, inbox: Any, answers: Any) -> None:
    credentials = base64.b64encode(f"{write_key}:".encode()).decode()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        while (task := inbox.get()) is not None:
            path, bodies, apart = task
            head = (
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic {credentials}\r\n"
                "Content-Type: application/json\r\nContent-Length: "
            ).encode()
            begun = time.monotonic()
            requests = [
                (begun + number * apart, head + b"%d\r\n\r\n" % len(body) + body) for number, body in enumerate(bodies)
            ]
            shares = [requests[start::CONNECTIONS] for start in range(CONNECTIONS)]
            answered = list(pool.map(lambda share: _post_all(port, share), shares))
            answers.put([answered[number % CONNECTIONS][number // CONNECTIONS] for number in range(len(bodies))])


def _post_all(port: int, requests: Sequence[tuple[float, bytes]]) -> list[tuple[int, float]]:
    """Post each when its time has come; (status, when it was answered) of each. A socket of its own, since a client of
    the standard library needs longer for a request than the server does for an empty one."""
    answered = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for due, request in requests:
            if (early := due - time.monotonic()) > 0:
                time.sleep(early)
            connection.sendall(request)
            answered.append((_answer(connection), time.monotonic()))
    return answered


def _answer(connection: socket.socket) -> int:
    """The status of the next answer, read to its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _blank, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    missing = length - len(body)
    while missing > 0:
        missing -= len(_more(connection))
    return int(head.split(b" ", 2)[1])


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(65_536)
    if not received:
        raise ConnectionError("the server closed the connection")
    return received
