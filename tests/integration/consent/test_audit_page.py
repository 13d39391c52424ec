"""The audit browser: filters, paging by key, the state of the chain."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from cdp_site.core import audit
from cdp_site.core.ids import uuid7
from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from consent import jobs, trail
from profiles.models import Profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(login: Callable[[User], Client], compliance: User) -> Client:
    client = login(compliance)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def events(agent: User, steward: User) -> list[AuditEvent]:
    return [
        audit.record(action="note.add", target=("profiles.Note", "n-1"), by=agent, fields=["text"]),
        audit.record(action="profile.merge", target=("profiles.Profile", 7), by=steward),
        audit.record(action="suppression.add", target=("consent.DataSubjectRequest", uuid7()), by="system:erasure"),
    ]


def shown(answer: Any) -> list[str]:
    return [line.event.action for line in answer.context["page"].lines]


def test_the_newest_come_first_with_names(desk: Client, events: list[AuditEvent]) -> None:
    answer = desk.get("/audit/")
    assert shown(answer) == ["suppression.add", "profile.merge", "note.add"]
    page = answer.content.decode()
    assert "Platform: erasure" in page
    assert "steward" in page


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("action=note.add", ["note.add"]),
        ("actor=system:erasure", ["suppression.add"]),
        ("target=7", ["profile.merge"]),
        ("action=note.add&target=7", []),
        ("action=nonsense", ["suppression.add", "profile.merge", "note.add"]),
        ("after=nonsense", ["suppression.add", "profile.merge", "note.add"]),
    ],
)
def test_filters(desk: Client, events: list[AuditEvent], query: str, actions: list[str]) -> None:
    assert shown(desk.get(f"/audit/?{query}")) == actions


def test_older_rows_behind_a_key(desk: Client, events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "PAGE_SIZE", 2)
    first = desk.get("/audit/")
    assert shown(first) == ["suppression.add", "profile.merge"]
    key = first.context["page"].next
    assert f"after={key}" in first.content.decode()
    second = desk.get(f"/audit/?after={key}")
    assert shown(second) == ["note.add"]
    assert second.context["page"].next is None


def test_a_customer_is_linked_where_the_reader_may_open_it(
    desk: Client, login: Callable[[User], Client], admin: User, steward: User, person: Profile
) -> None:
    audit.record(action="profile.merge", target=person, by=steward)
    assert f"/customers/{person.public_id}/" in desk.get("/audit/").content.decode()
    assert str(person.public_id) not in login(admin).get("/audit/").content.decode()


def test_the_chain_is_checked_by_a_job_and_told(
    desk: Client, events: list[AuditEvent], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    page = desk.get("/audit/").content.decode()
    assert "never checked" in page
    assert "3 not sealed yet" in page
    with django_capture_on_commit_callbacks(execute=True):
        assert desk.post("/audit/check/").status_code == 302
    assert [row.task["func"] for row in OrmQ.objects.all()] == ["consent.jobs.check_audit"]
    jobs.check_audit()
    page = desk.get("/audit/").content.decode()
    assert "whole" in page
    assert "3 rows sealed" in page
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE core_auditevent SET actor = 'user:1' WHERE id = %s", [events[0].pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    jobs.check_audit()
    page = desk.get("/audit/").content.decode()
    assert "broken" in page
    assert f"row {events[0].pk} was edited" in page


@pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", ""])
def test_it_is_for_compliance_and_administrators(
    login: Callable[[User], Client], make_user: Callable[..., User], role: str
) -> None:
    client = login(make_user(role))
    assert (client.get("/audit/").status_code, client.post("/audit/check/").status_code) == (404, 404)


def test_it_costs_few_queries(desk: Client, agent: User, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(60):
        audit.record(action="note.add", target=("profiles.Note", number), by=agent)
    desk.get("/audit/")
    with django_assert_max_num_queries(12):  # one names the programs, one tells the last anchor
        desk.get("/audit/")


def test_one_visit_of_a_customer_is_one_line(compliance: User, agent: User, person: Profile) -> None:
    AccessLogEntry.objects.all().delete()
    for what in ("profile.view", "profile.timeline", "profile.timeline", "profile.consent"):
        AccessLogEntry.objects.create(actor=f"user:{agent.pk}", profile=person.public_id, what=what)
    AccessLogEntry.objects.create(actor=f"user:{compliance.pk}", profile=person.public_id, what="profile.view")
    visits = trail.visits_to(person)
    assert [(visit.name, len(visit.parts)) for visit in visits] == [("compliance", 1), ("agent", 3)]
