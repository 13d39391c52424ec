"""A client that posts to the event API. Knows no Django: its process is spawned and imports this module alone."""

import base64
import http.client
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

CONNECTIONS = 4


class Client:
    """Posts bodies over keep-alive connections from a process of its own, so that it shares no interpreter lock with
    what is measured."""

    def __init__(self, *, port: int, write_key: str, path: str = "/v1/batch") -> None:
        self._context = multiprocessing.get_context("spawn")
        self._inbox = self._context.Queue()
        self._done = self._context.Queue()
        self._process = self._context.Process(
            target=_serve, args=(port, write_key, path, self._inbox, self._done), daemon=True
        )
        self._process.start()

    def post(self, bodies: Sequence[bytes]) -> int:
        """Post all; returns how many were answered 200. Raises when any was not."""
        self._inbox.put(list(bodies))
        statuses = self._done.get(timeout=600)
        if set(statuses) != {200}:
            raise RuntimeError(f"the server answered {sorted(set(statuses))}")
        return len(statuses)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self._inbox.put(None)
        self._process.join(timeout=10)


def _serve(port: int, write_key: str, path: str, inbox: Any, done: Any) -> None:
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{write_key}:".encode()).decode(),
        "Content-Type": "application/json",
    }

    def post_all(bodies: Sequence[bytes]) -> list[int]:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        statuses = []
        for body in bodies:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        while (bodies := inbox.get()) is not None:
            shares = [bodies[start::CONNECTIONS] for start in range(CONNECTIONS)]
            done.put([status for statuses in pool.map(post_all, shares) for status in statuses])
