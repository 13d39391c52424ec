"""The job cluster: django-q2's, made to survive the death of its parts.

What django-q2 does by itself, measured: an idle worker waits inside the lock of the task queue; killed there, it takes
the lock with it, its successor waits for ever and the whole cluster stands still. And a job that kills its worker (out
of memory, a crash in C) is delivered again without end, because only finished attempts are counted.

Here a cluster that lost a process inside a lock ends at once, for the supervisor to start a new one; and each job
leaves a row while it is at work, so that the attempts that killed a worker are counted and the job is given up.
"""

import multiprocessing
import os
import signal
import socket
import uuid
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from django_q.cluster import Cluster, Sentinel, get_mp_context
from django_q.conf import logger
from django_q.models import OrmQ, Schedule
from django_q.signals import post_execute_in_worker, pre_execute
from django_q.status import Stat
from django_q.tasks import async_task

from cdp_site import health, schedules
from cdp_site.core import heartbeats
from cdp_site.core.models import Heartbeat
from cdp_site.embedded_postgres import is_running
from cdp_site.operations import background

LOST_PROCESS = 75  # exit code: os.EX_TEMPFAIL, start me again


def run() -> int:
    """Run the cluster until SIGTERM or SIGINT; returns the exit code."""
    background.step_aside(background.JOBS)
    _connect_signals()
    _synchronise_schedules()
    give_back_jobs_of_dead_clusters()
    async_task("cdp_site.operations.cluster.give_sign_of_life")
    connections.close_all()  # the cluster forks
    cluster = StrictCluster()
    cluster.start()
    cluster.sentinel.join()
    return LOST_PROCESS if cluster.sentinel.exitcode else 0


def _synchronise_schedules() -> None:
    """Make django-q2's table of recurring jobs say what `schedules.CHORES` says; next runs are kept."""
    names = [chore.name for chore in schedules.CHORES]
    with transaction.atomic():
        Schedule.objects.exclude(schedule_type=Schedule.ONCE).exclude(name__in=names).delete()
        for chore in schedules.CHORES:
            if chore.daily_at is None:
                rhythm = {"schedule_type": Schedule.MINUTES, "minutes": chore.every_minutes}
                first_run = timezone.now()
            else:
                rhythm = {"schedule_type": Schedule.DAILY, "minutes": None}
                first_run = _next(chore.daily_at)
            row, _ = Schedule.objects.update_or_create(
                name=chore.name,
                defaults={"func": chore.function, **rhythm},
                create_defaults={"func": chore.function, **rhythm, "next_run": first_run},
            )
            if chore.daily_at is not None and timezone.localtime(row.next_run).time() != chore.daily_at:
                row.next_run = first_run
                row.save(update_fields=["next_run"])


def _next(time_of_day: time) -> datetime:
    now = timezone.localtime()
    today = now.replace(hour=time_of_day.hour, minute=time_of_day.minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def give_sign_of_life() -> None:
    """A job like any other: that it runs is the sign."""
    heartbeats.beat(health.CLUSTER)


class StrictSentinel(Sentinel):
    """django-q2's guard, but it does not replace a process that died holding a lock of a queue."""

    def start(self) -> None:
        # systemd and others send SIGTERM to the whole group: only the cluster's first process acts on it, and lets the
        # jobs at work finish. Workers inherit this.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        super().start()

    def reincarnate(self, process: Any) -> None:
        is_worker = process in self.pool
        if is_worker and process.is_alive():
            process.kill()  # its job has run out of time
            process.join()
        elif process.exitcode < 0 and not (is_worker and process.timer.value > 0):
            # Killed while it waited in a queue: whoever takes its place would wait for ever.
            logger.critical("%s was killed; the cluster ends to be started anew", process.name)
            self._end_now()
        super().reincarnate(process)
        if is_worker:
            give_back_jobs_of_dead_processes()

    def _end_now(self) -> None:
        for process in [*self.pool, self.monitor, self.pusher]:
            if process is not None and process.is_alive():
                process.kill()
        os._exit(LOST_PROCESS)  # no clean-up: it would wait for the same lock


class StrictCluster(Cluster):
    """A cluster with our guard."""

    def start(self) -> int:
        self.stop_event, self.start_event = multiprocessing.Event(), multiprocessing.Event()
        arguments = (self.stop_event, self.start_event, self.cluster_id, self.broker, self.timeout)
        self.sentinel = get_mp_context().Process(
            target=StrictSentinel, name=f"Guard-{uuid.uuid4().hex}", args=arguments
        )
        self.sentinel.start()
        return int(self.pid)


# --- jobs at work -----------------------------------------------------------------------------------------------------


def _connect_signals() -> None:
    pre_execute.connect(_job_begins, dispatch_uid="operations.job_begins")
    post_execute_in_worker.connect(_job_ends, dispatch_uid="operations.job_ends")


def _job_begins(task: dict[str, Any], **_: Any) -> None:
    if "ack_id" in task:
        name = f"{health.JOB_PREFIX}{task['ack_id']}"
        before = Heartbeat.objects.filter(name=name).values_list("detail", flat=True).first() or {}
        attempts = before.get("attempts", 0) + 1
        heartbeats.beat(name, attempts=attempts, host=socket.gethostname(), function=_function_name(task))


def _job_ends(task: dict[str, Any], **_: Any) -> None:
    if "ack_id" in task:
        Heartbeat.objects.filter(name=f"{health.JOB_PREFIX}{task['ack_id']}").delete()
    if not task["success"]:
        task["result"] = without_message(str(task["result"]))


def _function_name(task: dict[str, Any]) -> str:
    function = task["func"]
    return function if isinstance(function, str) else f"{function.__module__}.{function.__qualname__}"


def without_message(report: str) -> str:
    """A failed job's traceback without the error's message and source lines' values: those can be a customer's.

    django-q2 reports "message : Traceback (…)". Kept are the places and the type of each error.
    """
    kept = []
    for line in report.partition("Traceback (most recent call last):")[2].splitlines():
        if line.startswith("  File "):
            kept.append(line.strip())
        elif line and not line[0].isspace():
            kept.append(line.partition(":")[0])
    return "\n".join(kept)


def give_back_jobs_of_dead_processes() -> int:
    """Let jobs run again whose worker died at them, unless they killed it too often; returns how many came back.

    Without this a job waits until `retry` (over an hour) has passed, and a job that kills its workers comes for ever.
    """
    given_back = 0
    for row in Heartbeat.objects.filter(name__startswith=health.JOB_PREFIX):
        if row.detail["host"] != socket.gethostname() or is_running(row.pid):
            continue
        queued = OrmQ.objects.filter(pk=int(row.name.removeprefix(health.JOB_PREFIX)))
        if row.detail["attempts"] >= settings.Q_CLUSTER["max_attempts"]:
            logger.critical("job %s killed its worker too often and is given up", row.detail["function"])
            queued.delete()
            row.delete()
        elif not (came_back := queued.update(lock=timezone.now())):
            row.delete()  # it had finished
        else:
            given_back += came_back
    return given_back


def give_back_jobs_of_dead_clusters() -> int:
    """Also those that a dead cluster had fetched and not begun. Only where no other cluster works on this queue."""
    given_back = give_back_jobs_of_dead_processes()
    here = socket.gethostname()
    if any(cluster.host != here or is_running(cluster.pid) for cluster in Stat.get_all()):
        return given_back
    at_work = [
        int(name.removeprefix(health.JOB_PREFIX))
        for name in Heartbeat.objects.filter(name__startswith=health.JOB_PREFIX).values_list("name", flat=True)
    ]
    now = timezone.now()
    return given_back + OrmQ.objects.filter(lock__gt=now).exclude(pk__in=at_work).update(lock=now)
