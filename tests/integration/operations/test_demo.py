"""The parts of the demo; the whole is what `manage.py demo --check` tries."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from cdp_site import health
from cdp_site.core import heartbeats
from cdp_site.core.models import AuditEvent, Role, User
from cdp_site.operations import demo, demo_company
from ingestion.models import InboundBatch, WriteKey
from profiles import digest


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((demo.HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_wanted_port_that_is_taken_is_refused(taken_port: int) -> None:
    with pytest.raises(CommandError, match=f"Port {taken_port} is in use"):
        demo.free_port(taken_port)


def test_without_a_wish_the_next_free_port_is_taken(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "FIRST_PORT", taken_port)
    assert taken_port < demo.free_port(None) < taken_port + demo.PORTS_TRIED


@pytest.mark.django_db
def test_there_is_one_login_per_role_over_two_departments() -> None:
    demo_company.create_users()
    users = User.objects.all()
    assert {user.role for user in users} == set(Role.values)
    assert len({user.department_id for user in users}) == 2
    assert authenticate(username="agent", password=demo_company.password()) is not None
    assert AuditEvent.objects.filter(action="user.create").count() == len(Role)


@pytest.mark.django_db
def test_a_second_start_changes_no_login() -> None:
    demo_company.create_users()
    agent = User.objects.get(username="agent")
    agent.set_password("chosen by the agent")
    agent.save()
    demo_company.create_users()
    assert authenticate(username="agent", password="chosen by the agent") is not None
    assert User.objects.count() == len(Role)


@pytest.mark.django_db(transaction=True)
def test_the_check_sends_an_event_through_api_and_worker(live_server: LiveServer) -> None:
    stop = threading.Event()

    def work() -> None:
        digest.run_forever(stop=stop)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        demo.check(live_server.url)
    finally:
        stop.set()
        worker.join()
    assert InboundBatch.objects.get().n_stored == 1
    assert not WriteKey.objects.filter(revoked_at__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_the_check_fails_when_no_worker_takes_the_event(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "CHECK_PATIENCE", 0.1)
    with pytest.raises(CommandError, match="has not processed the test event"):
        demo.check(live_server.url)


@pytest.mark.django_db(transaction=True)
def test_a_start_waits_for_signs_of_life_of_its_own(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    heartbeats.beat(health.WORKER)
    heartbeats.beat(health.KEEPER)
    heartbeats.beat(health.CLUSTER)
    demo.wait_until_well(live_server.url, since=began)
    monkeypatch.setattr(demo, "START_PATIENCE", 0.5)
    with pytest.raises(CommandError, match="Not everything has started"):  # those were of an earlier start
        demo.wait_until_well(live_server.url, since=time.monotonic() + 0.2)
