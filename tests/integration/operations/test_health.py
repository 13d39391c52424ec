"""Signs of life, and what `/healthz` makes of them."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from cdp_site import health
from cdp_site.core import heartbeats
from cdp_site.core.models import Heartbeat
from ingestion import landing
from ingestion.models import Source

pytestmark = pytest.mark.django_db


def sign(name: str, *, seconds_ago: float = 0) -> None:
    Heartbeat.objects.create(name=name, at=timezone.now() - timedelta(seconds=seconds_ago), pid=1)


def test_all_is_well(client: Client) -> None:
    heartbeats.beat(health.WORKER)
    heartbeats.beat(health.KEEPER)
    heartbeats.beat(health.CLUSTER)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert answer.json()["worker"]["alive"] is True
    assert 0 <= answer.json()["worker"]["seconds_since_sign"] < health.PATIENCE[health.WORKER].total_seconds()
    assert answer.json()["backlog"] == {"live": 0, "bulk": 0, "oldest_seconds": 0.0}


def test_a_process_that_never_gave_a_sign_is_missed(client: Client) -> None:
    sign(health.WORKER)
    sign(health.KEEPER)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["cluster"] == {"alive": False, "seconds_since_sign": None}


@pytest.mark.parametrize("name", [health.WORKER, health.KEEPER, health.CLUSTER])
def test_a_process_that_fell_silent_is_missed(name: str) -> None:
    patience = health.PATIENCE[name].total_seconds()
    sign(name, seconds_ago=patience - 5)
    assert health.signs_of_life()[name].alive
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=patience + 5))
    assert not health.signs_of_life()[name].alive


def test_a_cluster_whose_every_worker_is_at_a_job_is_alive() -> None:
    sign(health.CLUSTER, seconds_ago=1_800)
    workers = settings.Q_CLUSTER["workers"]
    for job in range(workers - 1):
        sign(f"{health.JOB_PREFIX}{job}", seconds_ago=1_700)
    assert not health.signs_of_life()[health.CLUSTER].alive
    sign(f"{health.JOB_PREFIX}{workers}", seconds_ago=1_700)
    assert health.signs_of_life()[health.CLUSTER].alive
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=settings.Q_CLUSTER["timeout"] + 1))
    assert not health.signs_of_life()[health.CLUSTER].alive


def test_what_waits_is_counted(client: Client, web_shop: Source) -> None:
    landing.land(source=web_shop, messages_raw=[{"type": "track"}], door="api")
    assert client.get("/healthz").json()["backlog"]["live"] == 1


def test_a_database_that_is_away_is_an_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(health, "signs_of_life", away)
    monkeypatch.setattr(health.connection, "close", lambda: None)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] is False
    assert answer.json()["backlog"] is None


def test_a_new_sign_takes_the_place_of_the_old_one() -> None:
    sign(health.WORKER, seconds_ago=500)
    heartbeats.beat(health.WORKER, step=3)
    row = Heartbeat.objects.get()
    assert row.detail == {"step": 3}
    assert timezone.now() - row.at < timedelta(seconds=5)


def test_of_several_workers_each_is_watched_and_one_is_enough() -> None:
    sign("worker", seconds_ago=500)
    sign("worker-2", seconds_ago=1)
    assert health.signs_of_life()[health.WORKER].alive
    assert health.gives_no_sign("worker")
    assert not health.gives_no_sign("worker-2")
