"""Small variants of `bench faults`: real processes and SIGKILL, on an installation of its own."""

import errno
import os
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cdp_site.operations.bench import faults
from cdp_site.operations.bench.faults import MountingForbidden, Outcome
from cdp_site.operations.bench.sender import Sender


def test_nothing_is_lost_or_doubled_when_web_worker_and_database_are_killed() -> None:
    outcome = faults.kills(events=2_000, rows=0, times=4, batch=20, breath=0.05)
    assert outcome.is_good, outcome.as_dict()
    assert outcome.stored == outcome.acknowledged == 2_000
    assert set(outcome.kills) == {"web", "worker", "postgres"}
    assert outcome.looks > 0


def test_a_full_disk_is_answered_with_503_until_there_is_room_again() -> None:
    try:
        outcome = faults.full_disk(events=2_000, batch=20, spare=0)
    except MountingForbidden as hint:
        pytest.skip(str(hint))
    assert outcome.is_good, outcome.as_dict()
    assert outcome.answers[503] > 0
    assert outcome.stored == outcome.acknowledged == 2_000


def test_a_disk_is_filled_although_others_write_to_it_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, taken = 1_000_000, 0
    allocate = os.posix_fallocate

    def allocating(file: int, offset: int, size: int) -> None:
        nonlocal taken
        if not taken:
            taken = 70_000  # by somebody else, between the look and the claim
        if offset + size + taken > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        allocate(file, offset, size)

    ballast = tmp_path / "ballast"
    monkeypatch.setattr(os, "posix_fallocate", allocating)
    monkeypatch.setattr(faults, "_free_bytes", lambda _disk: room - taken - ballast.stat().st_size)
    faults._fill(ballast, tmp_path, spare=1_000)
    assert ballast.stat().st_size == room - taken - 1_000


@pytest.fixture
def moody_server() -> Iterator[tuple[int, list[bytes]]]:
    """Takes a batch at its third call, and loses the answer of the second, which it had taken."""
    bodies: list[bytes] = []
    answers = iter([503, 0, *[200] * 100])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            status = next(answers)
            if not status:
                self.connection.close()
                return
            self.send_response(status)
            if status == 503:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port, bodies
    server.shutdown()
    serving.join()
    server.server_close()


def test_the_sender_keeps_a_batch_until_it_is_acknowledged(moody_server: tuple[int, list[bytes]]) -> None:
    port, bodies = moody_server
    sender = Sender(port=port, key="k", events=50, batch=20, connections=1)
    sender.run()
    assert sender.is_done
    assert len(sender.acknowledged) == 50
    assert len(bodies) == 5  # three batches, the first one three times
    assert sender.answers == {503: 1, 0: 1, 200: 3}
    assert not sender.bad
    assert sender.without_retry_after == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"lost": 1},
        {"doubled": 1},
        {"import_lost": 1},
        {"looks_out_of_balance": 1},
        {"acknowledged": 9},
        {"without_retry_after": 1},
        {"bad_answers": ["400"]},
        {"was_full": False},
        {"equation": {"received": 10, "stored": 9, "duplicate": 0, "quarantined": 1, "suppressed": 0, "waiting": 0}},
    ],
)
def test_the_verdict_notices_every_fault(fault: dict[str, object]) -> None:
    equation = {"received": 12, "stored": 10, "duplicate": 2, "quarantined": 0, "suppressed": 0, "waiting": 0}
    good = {"sent": 10, "acknowledged": 10, "stored": 10, "equation": equation}
    assert Outcome("x", **good).is_good  # type: ignore[arg-type]
    assert not Outcome("x", **(good | fault)).is_good  # type: ignore[arg-type]


def test_each_kind_is_killed_once_before_any_is_killed_twice() -> None:
    killed: list[tuple[str, int]] = []
    sender = Sender(port=0, key="k", events=100)

    class Standing:
        def kill(self, victim: str, _draw: random.Random) -> bool:
            killed.append((victim, len(sender.acknowledged)))
            return True

    class Sending:
        """A thread's stand-in: each time it is waited for one more event is acknowledged."""

        def is_alive(self) -> bool:
            return not sender.is_done

        def join(self, _seconds: float) -> None:
            sender.acknowledged.add(str(len(sender.acknowledged)))

    counts = faults._kill_while(Sending(), sender, Standing(), random.Random(3), 5)  # type: ignore[arg-type]
    assert sorted(victim for victim, _at in killed[:3]) == ["postgres", "web", "worker"]
    assert sum(counts.values()) == len(killed) == 5
    assert len({at for _victim, at in killed}) > 1
