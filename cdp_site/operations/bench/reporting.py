"""A system that reports at a set pace, whatever it is answered. Knows no Django: a spawned process imports it alone."""

import http.client
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 8


@dataclass(frozen=True)
class Report:
    """One request as it goes out."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answers:
    """Milliseconds from when each report was due to its whole answer, sorted; and every status that was answered."""

    milliseconds: Sequence[float]
    statuses: frozenset[int]

    @property
    def p99(self) -> float:
        return self.milliseconds[min(len(self.milliseconds) - 1, len(self.milliseconds) * 99 // 100)]


class Reporter:
    """Sends reports from a process of its own, so that it shares no interpreter lock with what is measured."""

    def __init__(self, *, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._inbox: Any = context.Queue()
        self._done: Any = context.Queue()
        self._process = context.Process(target=_serve, args=(port, self._inbox, self._done), daemon=True)
        self._process.start()

    def send(self, reports: Sequence[Report], *, a_second: float) -> Answers:
        """Each report when it is due; one that is late because others are is measured from when it was due."""
        self._inbox.put((list(reports), a_second))
        answers: Answers = self._done.get(timeout=600)
        return answers

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(self, *error: object) -> None:
        self._inbox.put(None)
        self._process.join(timeout=10)


def _serve(port: int, inbox: Any, done: Any) -> None:
    def share(start: int, reports: Sequence[Report], begun: float, a_second: float) -> list[tuple[float, int]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        found = []
        for number in range(start, len(reports), CONNECTIONS):
            report, due = reports[number], begun + number / a_second
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            connection.request(report.method, report.path, report.body, dict(report.headers))
            answer = connection.getresponse()
            answer.read()
            found.append(((time.perf_counter() - due) * 1000, answer.status))
        connection.close()
        return found

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        while (asked := inbox.get()) is not None:
            reports, a_second = asked
            begun = time.perf_counter() + 0.1
            shares = [pool.submit(share, start, reports, begun, a_second) for start in range(CONNECTIONS)]
            answered = [one for future in shares for one in future.result()]
            done.put(Answers(sorted(ms for ms, _status in answered), frozenset(status for _ms, status in answered)))
