"""An installation of its own for a trial: data folder, PostgreSQL, web, worker and job cluster under their supervisor.

Its processes can be killed as a machine would kill them. PostgreSQL runs with the settings of a lasting installation:
what it has confirmed survives its death.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg

from cdp_site import embedded_postgres
from cdp_site.operations.supervisor import MARK

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
MANAGE = str(PROJECT / "manage.py")
START_PATIENCE = 120.0
VICTIMS = ("web", "worker", "postgres")
# What the command line of each program's processes holds.
_TELLING = {"web": b"granian", "worker": b"manage.py\0worker", "cluster": b"manage.py\0qcluster"}


class Installation:
    """See the module. Prepared on entering, running after `start`, ended on leaving."""

    def __init__(self, folder: Path, *, import_file: Path | None = None) -> None:
        self.folder = folder
        self.port = _free_port()
        self._import_file = import_file
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Installation":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # PostgreSQL's account has to get through
        self.postgres = embedded_postgres.serve(self.folder / "postgres")
        self.url = self.postgres.url()
        self._environment = os.environ | {
            "CDP_DATA": str(self.folder),
            "DATABASE_URL": self.url,
            "JOB_WORKERS": "2",
            "DIGEST_LEASE_SECONDS": "10",  # a killed worker's batches are waited for
            "LOG_LEVEL": "ERROR",
        }
        try:
            more = ["--import-file", str(self._import_file)] if self._import_file else []
            made = json.loads(self._manage("trial", "prepare", *more).splitlines()[-1])
        except BaseException:
            self.postgres.release()
            raise
        self.key: str = made["key"]
        self.source_id: int = made["source"]
        self.file_source_id: int | None = made.get("file_source")
        return self

    def __exit__(self, *_error: object) -> None:
        if self._supervisor is not None:
            self._supervisor.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(timeout=30)
            self._supervisor.kill()
            self._supervisor.wait()
        self.postgres.release()

    def _manage(self, *arguments: str) -> str:
        command = [sys.executable, MANAGE, *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments[:2])} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def start(self) -> None:
        """Start everything; returns when the web server answers."""
        # It must not outlive a trial that is killed itself.
        leashed = [sys.executable, "-E", "-S", "-B", "-m", "cdp_site.operations.supervised", str(os.getpid())]
        with (self.folder / "supervisor.log").open("ab") as log:
            self._supervisor = subprocess.Popen(
                [*leashed, sys.executable, MANAGE, "trial", "run", "--port", str(self.port)],
                env=self._environment,
                stdout=log,
                stderr=log,
                cwd=PROJECT,
            )
        _wait_until(self._answers, seconds=START_PATIENCE, what="the web server")

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                return True
        except HTTPError:
            return True  # it answers; that not everything is well yet is another matter
        except OSError:
            return False

    # --- killing ------------------------------------------------------------------------------------------------

    def kill(self, victim: str, draw: random.Random) -> bool:
        """SIGKILL one process of web or worker, or the server process of PostgreSQL; False when none runs just now."""
        pids = [self._postmaster()] if victim == "postgres" else self.pids(victim)
        pids = [pid for pid in pids if pid]
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(draw.choice(pids), signal.SIGKILL)
            return True
        return False

    def pids(self, program: str) -> list[int]:
        """Processes of a program that the supervisor of this installation has started."""
        mark = f"{MARK}={self.folder / 'run'}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_ours = mark in (process / "environ").read_bytes().split(b"\0")
                if is_ours and _TELLING[program] in (process / "cmdline").read_bytes():
                    found.append(int(process.name))
        return sorted(found)

    def _postmaster(self) -> int:
        try:
            return int((self.postgres.home.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return 0

    # --- asking -------------------------------------------------------------------------------------------------

    def ask(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Rows of a query, on a connection of its own. Raises psycopg.OperationalError while PostgreSQL is away."""
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            return connection.execute(query, parameters).fetchall()

    def ask_in_vain(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]] | None:
        """The same; None while PostgreSQL is away."""
        try:
            return self.ask(query, parameters)
        except psycopg.OperationalError:
            return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until(condition: Any, *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not answer within {seconds:.0f} s")
        time.sleep(0.1)
