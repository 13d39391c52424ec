"""Is the platform alive? Signs of life of its processes, and what waits for them.

Each long-running process overwrites its row of `core.Heartbeat`: the digest worker and the keeper from their loops, the
job cluster by a job that goes through its own queue each minute, so that a cluster which runs and does nothing gives no
sign.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from cdp_site.core.models import Heartbeat
from ingestion import landing

# Of several workers each beats by its own name ("worker-2"); events come in as long as one of them lives.
WORKER, KEEPER, CLUSTER = "worker", "keeper", "cluster"
JOB_PREFIX = "job:"  # rows of jobs that are at work: "job:<id in the queue>"
# The worker beats every few seconds, also between the parts of a long batch; the keeper between two rounds, in which it
# may ask everybody about a few segments, each within its limit; the cluster each minute.
PATIENCE = {WORKER: timedelta(seconds=60), KEEPER: timedelta(minutes=5), CLUSTER: timedelta(minutes=3)}


@dataclass(frozen=True)
class Sign:
    """What is known of one process; `seconds_since_sign` is None when it never gave one."""

    alive: bool
    seconds_since_sign: float | None


@dataclass(frozen=True)
class Health:
    database: bool
    processes: dict[str, Sign]
    backlog: landing.Backlog | None  # None when the database cannot say

    @property
    def is_good(self) -> bool:
        return self.database and all(sign.alive for sign in self.processes.values())

    def as_json(self) -> dict[str, Any]:
        processes = {name: asdict(sign) for name, sign in self.processes.items()}
        waiting = asdict(self.backlog) if self.backlog else None
        return {"ok": self.is_good, "database": self.database, **processes, "backlog": waiting}


def examine() -> Health:
    """The state of the whole platform; two queries. A database that is away is an answer, not an error."""
    try:
        signs = signs_of_life()
        return Health(database=True, processes=signs, backlog=landing.backlog())
    except Error:
        connection.close()
        unknown = Sign(alive=False, seconds_since_sign=None)
        return Health(database=False, processes=dict.fromkeys(PATIENCE, unknown), backlog=None)


def gives_no_sign(name: str) -> bool:
    """Whether the cluster, the keeper, or one of the workers, has been silent for too long. One query."""
    if name == CLUSTER:
        return not signs_of_life()[name].alive
    row = Heartbeat.objects.filter(name=name).first()
    return row is None or timezone.now() - row.at > PATIENCE.get(name, PATIENCE[WORKER])


def signs_of_life() -> dict[str, Sign]:
    """Of the worker, the keeper and the job cluster. One query.

    A cluster whose every worker is at a job cannot beat; it counts as alive for as long as a job may take.
    """
    now = timezone.now()
    seen = {row.name: now - row.at for row in Heartbeat.objects.all()}
    workers = [since for name, since in seen.items() if name.startswith(f"{WORKER}-") or name == WORKER]
    if workers:
        seen[WORKER] = min(workers)
    signs = {}
    for name, patience in PATIENCE.items():
        since = seen.get(name)
        alive = since is not None and since <= patience
        if name == CLUSTER and since is not None and not alive:
            longest = timedelta(seconds=settings.Q_CLUSTER["timeout"])
            at_work = sum(job.startswith(JOB_PREFIX) and begun <= longest for job, begun in seen.items())
            alive = at_work >= settings.Q_CLUSTER["workers"]
        signs[name] = Sign(alive, None if since is None else round(since.total_seconds(), 1))
    return signs
