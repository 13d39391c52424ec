"""The platform's long-running processes: how each is started, and how to see that it hangs."""

import sys
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from cdp_site import health
from cdp_site.operations.supervisor import Program
from cdp_site.postgres_keeper import machine_cores

MANAGE = str(Path(settings.BASE_DIR) / "manage.py")
# A Python web worker is bound to one core; its threads wait for the database while others compute.
THREADS_PER_WEB_WORKER = 4
MOST_WEB_WORKERS = 8
MOST_WORKERS = 2


def web_command(*, host: str, port: int, workers: int | None = None) -> tuple[str, ...]:
    """granian as this platform wants it; as many workers as there are cores unless said otherwise."""
    count = workers or min(machine_cores(), MOST_WEB_WORKERS)
    return (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", str(count), "--blocking-threads", str(THREADS_PER_WEB_WORKER), "--no-ws"),
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "10"),
        *("--log-level", "warning", "cdp_site.wsgi:application"),
    )


def worker_names() -> list[str]:
    """A digest waits for PostgreSQL half of its time: two of them, where there are cores for both."""
    return [
        health.WORKER,
        *(f"{health.WORKER}-{number}" for number in range(2, min(machine_cores(), MOST_WORKERS) + 1)),
    ]


def programs(*, host: str, port: int) -> list[Program]:
    """Web, digest workers, the keeper of what is derived from people, and job cluster."""
    return [
        Program("web", web_command(host=host, port=port)),
        *(
            Program(name, (sys.executable, MANAGE, "worker", "--name", name), is_stuck=partial(_gives_no_sign, name))
            for name in worker_names()
        ),
        Program(health.KEEPER, (sys.executable, MANAGE, "keeper"), is_stuck=partial(_gives_no_sign, health.KEEPER)),
        # It finishes the jobs at work; what takes longer is given back to the queue at the next start.
        Program("cluster", (sys.executable, MANAGE, "qcluster"), is_stuck=partial(_gives_no_sign, health.CLUSTER)),
    ]


def _gives_no_sign(name: str) -> bool:
    try:
        return health.gives_no_sign(name)
    except Error:
        connection.close()
        return False  # the database is away: nobody can give a sign
