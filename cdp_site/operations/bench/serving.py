"""The processes that are measured: web server and digest workers, on the benchmark's database."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from urllib.error import HTTPError
from urllib.request import urlopen

from django.utils import timezone

from cdp_site.core.models import Heartbeat
from cdp_site.operations import programs
from ingestion.models import InboundBatch

WEB_WORKERS = 2


class PausedWorkers:
    """The digest workers of an installation, stopped while others are measured. They are stopped only when nothing
    waits, so that they hold no lock."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "PausedWorkers":
        InboundBatch.objects.waiting().delete()
        self._stack = ExitStack()
        for name in programs.worker_names():
            command = [sys.executable, "manage.py", "worker", "--name", name]
            worker = self._stack.enter_context(process(command, self._url))
            _wait_for_a_beat(name, worker)
            worker.send_signal(signal.SIGSTOP)
            self._processes.append(worker)
        return self

    def __exit__(self, *error: object) -> None:
        self._signal(signal.SIGCONT)
        self._stack.close()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._processes:
            worker.send_signal(number)


@contextmanager
def web_server(url: str) -> Iterator[int]:
    """granian as `demo` starts it, on a free port and the benchmark's database."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(WEB_WORKERS), "--log-level", "error", "cdp_site.operations.bench.served:application",
    ]  # fmt: skip
    with process(command, url):
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port


@contextmanager
def keeper(url: str) -> Iterator[None]:
    """Segments are kept up to date, from the beginning of the block on."""
    with process([sys.executable, "manage.py", "keeper"], url) as child:
        _wait_for_a_beat("keeper", child)
        yield


def _wait_for_a_beat(name: str, child: "subprocess.Popen[bytes]") -> None:
    """Until it is at work. Raises RuntimeError when it has ended instead."""
    started = timezone.now()
    while not Heartbeat.objects.filter(name=name, pid=child.pid, at__gte=started).exists():
        if child.poll() is not None:
            raise RuntimeError(f"{name} ended before it was at work")
        time.sleep(0.05)


@contextmanager
def process(
    command: list[str], url: str, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[bytes]]:
    """A child on the benchmark's database, quiet, in a session of its own as the supervisor starts it, ended with the
    block."""
    environment = os.environ | environment | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    child = subprocess.Popen(command, env=environment, start_new_session=True)
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
