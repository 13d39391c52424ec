"""The job cluster: its schedules, and jobs whose worker was killed."""

import os
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from cdp_site import health
from cdp_site.core.models import Heartbeat
from cdp_site.operations import background, cluster
from cdp_site.schedules import CHORES
from tests.database import url_with
from tests.waiting import wait_for

NOBODY = 4_190_000  # above the kernel's largest pid on a machine of the usual kind


@pytest.fixture
def queued(db: None) -> OrmQ:
    """A job that somebody has taken from the queue."""
    return OrmQ.objects.create(key="cdp", payload="x", lock=timezone.now() + timedelta(hours=1))


def at_work(job: OrmQ, *, pid: int, attempts: int = 1, host: str | None = None) -> None:
    detail = {"attempts": attempts, "host": host or cluster.socket.gethostname(), "function": "some.job"}
    Heartbeat.objects.create(name=f"{health.JOB_PREFIX}{job.pk}", at=timezone.now(), pid=pid, detail=detail)


def is_free(job: OrmQ) -> bool:
    return OrmQ.objects.filter(pk=job.pk, lock__lte=timezone.now()).exists()


def test_a_job_of_a_dead_worker_comes_back_at_once(queued: OrmQ) -> None:
    at_work(queued, pid=NOBODY)
    assert cluster.give_back_jobs_of_dead_processes() == 1
    assert is_free(queued)


def test_a_job_that_kills_its_workers_is_given_up(queued: OrmQ) -> None:
    at_work(queued, pid=NOBODY, attempts=settings.Q_CLUSTER["max_attempts"])
    assert cluster.give_back_jobs_of_dead_processes() == 0
    assert not OrmQ.objects.exists()
    assert not Heartbeat.objects.exists()


@pytest.mark.parametrize("where", [{"pid": os.getpid()}, {"pid": NOBODY, "host": "another-machine"}])
def test_a_job_at_work_is_left_alone(queued: OrmQ, where: dict[str, Any]) -> None:
    at_work(queued, **where)
    assert cluster.give_back_jobs_of_dead_clusters() == 0
    assert not is_free(queued)


def test_jobs_that_a_dead_cluster_had_fetched_come_back(queued: OrmQ) -> None:
    assert cluster.give_back_jobs_of_dead_clusters() == 1
    assert is_free(queued)


def test_another_clusters_jobs_are_not_taken(queued: OrmQ, monkeypatch: pytest.MonkeyPatch) -> None:
    other = SimpleNamespace(host="another-machine", pid=1)
    monkeypatch.setattr(cluster.Stat, "get_all", lambda: [other])
    assert cluster.give_back_jobs_of_dead_clusters() == 0
    assert not is_free(queued)


def test_attempts_are_counted_while_a_job_is_at_work(queued: OrmQ) -> None:
    task = {"ack_id": queued.pk, "func": "some.job", "success": True}
    cluster._job_begins(task)
    cluster._job_begins(task)
    row = Heartbeat.objects.get()
    assert (row.pid, row.detail["attempts"], row.detail["function"]) == (os.getpid(), 2, "some.job")
    cluster._job_ends(task)
    assert not Heartbeat.objects.exists()


def test_a_failed_job_leaves_no_customers_data(queued: OrmQ) -> None:
    try:
        int("somchai@example.com")
    except ValueError:
        report = f"invalid literal: 'somchai@example.com' : {traceback.format_exc()}"
    task = {"ack_id": queued.pk, "func": "some.job", "success": False, "result": report}
    cluster._job_ends(task)
    assert "somchai" not in task["result"]
    assert task["result"].endswith("ValueError")
    assert "test_cluster.py" in task["result"]


def test_schedules_follow_the_list(db: None) -> None:
    stale = Schedule.objects.create(name="no longer listed", func="x.y", schedule_type=Schedule.MINUTES, minutes=1)
    once = Schedule.objects.create(name="only once", func="x.y", schedule_type=Schedule.ONCE)
    cluster._synchronise_schedules()
    assert not Schedule.objects.filter(pk=stale.pk).exists()
    assert Schedule.objects.filter(pk=once.pk).exists()
    assert set(Schedule.objects.exclude(pk=once.pk).values_list("name", "func")) == {
        (chore.name, chore.function) for chore in CHORES
    }
    for chore in CHORES:
        row = Schedule.objects.get(name=chore.name)
        if chore.daily_at:
            assert timezone.localtime(row.next_run).time() == chore.daily_at
            assert timezone.now() < row.next_run < timezone.now() + timedelta(days=1, minutes=1)
        else:
            assert row.minutes == chore.every_minutes


def test_a_restart_keeps_the_next_runs(db: None) -> None:
    cluster._synchronise_schedules()
    before = dict(Schedule.objects.values_list("name", "next_run"))
    cluster._synchronise_schedules()
    assert dict(Schedule.objects.values_list("name", "next_run")) == before


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_lost_an_idle_worker_ends_and_its_successor_works(tmp_path: Path) -> None:
    """django-q2 by itself would stand still: the killed worker holds the lock of the queue."""
    first = start_cluster(tmp_path)
    try:
        wait_for(lambda: not OrmQ.objects.exists())  # the first job is over: every worker is idle
        idle = idle_worker(first)
        assert os.getpriority(os.PRIO_PROCESS, idle) == background.JOBS
        os.kill(idle, signal.SIGKILL)
        assert first.wait(timeout=60) == cluster.LOST_PROCESS
    finally:
        kill(first)
    Heartbeat.objects.all().delete()
    async_task("cdp_site.operations.cluster.give_sign_of_life")
    second = start_cluster(tmp_path)
    try:
        second.terminate()
        assert second.wait(timeout=60) == 0
    finally:
        kill(second)
    assert not OrmQ.objects.exists()


def start_cluster(folder: Path) -> "subprocess.Popen[bytes]":
    """A cluster on the test database that has given its first sign of life."""
    url = url_with(connection.settings_dict["NAME"])
    environment = os.environ | {"DATABASE_URL": url, "JOB_WORKERS": "2"}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    wait_for(lambda: Heartbeat.objects.filter(name=health.CLUSTER).exists() or process.poll() is not None, seconds=60)
    assert process.poll() is None, (folder / "log").read_text()
    return process


def idle_worker(process: "subprocess.Popen[bytes]") -> int:
    (guard,) = children(process.pid)
    return children(guard)[0]  # workers are started before monitor and pusher


def children(pid: int) -> list[int]:
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
