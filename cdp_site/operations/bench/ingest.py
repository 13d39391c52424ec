"""`bench ingest`: HTTP batches of 100 to a committed landing, and to touchpoints on profiles, against raw COPY."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.request import urlopen

from django.db import connection
from django.utils import timezone

from cdp_site.core.models import Heartbeat
from cdp_site.operations.bench import traffic
from cdp_site.operations.bench.client import Client
from cdp_site.operations.bench.measure import Result, Subject, throughput
from cdp_site.operations.company import feeds
from ingestion import keys
from ingestion.models import InboundBatch, Source
from profiles import digest

# 20,000 events a round: about a second of the limit, so that a checkpoint does not decide a round.
BATCHES_A_ROUND = 200
EVENTS_A_ROUND = BATCHES_A_ROUND * traffic.BATCH
WEB_WORKERS = 2


def run(url: str) -> list[Result]:
    """Three results on the prepared database at `url`: landing; touchpoint, with the worker beside the web server on
    the same processors; and the digest alone. Every event of every round is new."""
    source = Source.objects.get(slug=feeds.WEB)
    _row, key = keys.make(source=source, by="system:bench")
    limit = RawCopy()
    with web_server(url) as port, PausedWorker(url) as worker, Client(port=port, write_key=key) as client:
        shop = Shop(source_id=source.pk, client=client, worker=worker)
        return throughput(
            limit=Subject("raw COPY into the touchpoint table with its indexes", limit.copy, prepare=limit.prepare),
            subjects=[
                Subject(
                    "ingest.landing",
                    shop.land,
                    prepare=shop.prepare,
                    goal=0.35,
                    note=f"HTTP batches of {traffic.BATCH}, answered after the commit",
                ),
                Subject("ingest.touchpoint", shop.to_profiles, prepare=shop.prepare, note=f"mix: {traffic.MIX_TEXT}"),
                Subject(
                    "ingest.digest", shop.digest, prepare=shop.land_before, note="from the landing on, one process"
                ),
            ],
            unit="events/s",
        )


@dataclass
class Shop:
    """A web shop that posts, and the ways in which its events are followed."""

    source_id: int
    client: Client
    worker: "PausedWorker"
    bodies: list[bytes] = field(default_factory=list)

    def prepare(self) -> None:
        """Nothing waits, and new events are ready to be posted."""
        InboundBatch.objects.waiting().delete()
        self.bodies = traffic.batches(source_id=self.source_id, batches=BATCHES_A_ROUND, seed=time.time_ns())

    def land(self) -> int:
        self.client.post(self.bodies)
        return EVENTS_A_ROUND

    def land_before(self) -> None:
        self.prepare()
        self.land()

    def digest(self) -> int:
        return digest.drain().messages

    def to_profiles(self) -> int:
        with self.worker.at_work():
            self.client.post(self.bodies)
            while InboundBatch.objects.waiting().exists():
                time.sleep(0.005)
        return EVENTS_A_ROUND


_SAMPLE = """
COPY (SELECT gen_random_uuid(), occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
             type_id, source_id, properties
        FROM profiles_touchpoint LIMIT %s) TO STDOUT
"""
_COPY = """
COPY bench_touchpoint (id, occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
                       type_id, source_id, properties) FROM STDIN
"""


class RawCopy:
    """The limit: COPY into a table with the same columns, rows and indexes as the touchpoints'."""

    def __init__(self) -> None:
        self.rows = b""
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench_touchpoint")
            cursor.execute("CREATE TABLE bench_touchpoint (LIKE profiles_touchpoint INCLUDING ALL)")
            cursor.execute("INSERT INTO bench_touchpoint SELECT * FROM profiles_touchpoint")
            cursor.execute("ANALYZE bench_touchpoint")

    def prepare(self) -> None:
        """Rows of real touchpoints under new ids, as text."""
        with connection.cursor() as cursor, cursor.copy(_SAMPLE, [EVENTS_A_ROUND]) as copy:
            self.rows = b"".join(bytes(chunk) for chunk in copy)

    def copy(self) -> int:
        with connection.cursor() as cursor:
            with cursor.copy(_COPY) as copy:
                copy.write(self.rows)
            return int(cursor.rowcount)


class PausedWorker:
    """A digest worker in a process of its own, stopped while others are measured. It is stopped only when nothing
    waits, so that it holds no lock."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> "PausedWorker":
        InboundBatch.objects.waiting().delete()
        self._stack = ExitStack()
        self._process = self._stack.enter_context(process([sys.executable, "manage.py", "worker"], self._url))
        started = timezone.now()
        while not Heartbeat.objects.filter(name="worker", pid=self._process.pid, at__gte=started).exists():
            time.sleep(0.05)
        self._process.send_signal(signal.SIGSTOP)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._stack.close()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGSTOP)


@contextmanager
def web_server(url: str) -> Iterator[int]:
    """granian as `demo` starts it, on a free port and the benchmark's database."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(WEB_WORKERS), "--log-level", "error", "cdp_site.wsgi:application",
    ]  # fmt: skip
    with process(command, url):
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port


@contextmanager
def process(command: list[str], url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child on the benchmark's database, quiet, ended with the block."""
    environment = os.environ | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    child = subprocess.Popen(command, env=environment)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=2):
                return
        except HTTPError:
            return  # it answers; that no worker beats yet is another matter
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{address} did not answer within {seconds:.0f} s")
