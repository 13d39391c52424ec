"""Retention: what came raw goes after its days, in portions, and the account says so."""

from collections.abc import Callable
from datetime import timedelta
from itertools import chain, repeat

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.models import AuditEvent, User
from ingestion import accounts, imports, landing
from ingestion.accounts import Period
from ingestion.health import rejections, retention, troubles
from ingestion.health.retention import Figures
from ingestion.landing import Tally
from ingestion.models import FileImport, InboundBatch, QuarantinedItem, RejectedHour, RemovedByRetention, Source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]


def held(source: Source, *, days: float, n: int = 1, **more: object) -> None:
    at = timezone.now() - timedelta(days=days)
    QuarantinedItem.objects.bulk_create(
        QuarantinedItem(at=at, source=source, batch_id=0, position=k, reason="malformed", payload=b"x", **more)
        for k in range(n)
    )


def digested(source: Source, *, days: float, n: int = 1) -> None:
    at = timezone.now() - timedelta(days=days)
    batch = landing.land(source=source, messages_raw=[{}] * n, door="api", received_at=at)
    landing.settle(batch.pk, Tally(stored=n))


def upload(source: Source, *, days: float) -> FileImport:
    file_import = imports.receive(source=source, file_name="a.csv", chunks=[b"id,name\n1,A\n"], by="system:test")
    FileImport.objects.filter(pk=file_import.pk).update(created_at=timezone.now() - timedelta(days=days))
    return file_import


def test_what_is_past_its_days_goes_and_stays_counted(web_shop: Source, pos: Source) -> None:
    held(web_shop, days=91, n=3)
    held(web_shop, days=89)
    digested(web_shop, days=3, n=5)
    digested(web_shop, days=1, n=2)
    waiting = landing.land(
        source=web_shop, messages_raw=[{}], door="api", received_at=timezone.now() - timedelta(days=30)
    )
    file_import = upload(pos, days=31)
    before = accounts.of_source(web_shop, Period.ALL).total
    assert retention.due(web_shop, retention.days_of(web_shop)) == Figures(quarantine=3, files=0, batches=1)

    assert retention.remove_due() == Figures(quarantine=3, files=1, batches=1)

    account = accounts.of_source(web_shop, Period.ALL)
    assert account.total == before
    assert (account.held, account.removed) == (1, {"quarantine": 3})
    assert InboundBatch.objects.filter(pk=waiting.pk).exists()
    file_import.refresh_from_db()
    assert (file_import.stored_as, accounts.of_source(pos, Period.ALL).removed) == ("", {"file": 1})
    assert retention.remove_due() == Figures(0, 0, 0)


def test_a_sources_own_numbers_win_over_the_companys(web_shop: Source, pos: Source, admin: User) -> None:
    assert retention.change(source=None, days={"quarantine_days": 10}, by=admin) == {"quarantine_days"}
    retention.change(source=pos, days={"quarantine_days": 20, "file_days": None}, by=admin)
    held(web_shop, days=15)
    held(pos, days=15)
    assert retention.days_of(web_shop).quarantine_days == 10
    assert retention.days_of(pos) == retention.Days(20, retention.defaults().file_days, retention.defaults().batch_days)
    assert retention.due_of_company(retention.company_days()).quarantine == 1
    assert retention.remove_due().quarantine == 1
    assert QuarantinedItem.objects.get().source == pos
    retention.change(source=pos, days={"quarantine_days": None}, by=admin)
    assert retention.remove_due().quarantine == 1
    assert AuditEvent.objects.filter(action="retention.change").count() == 3


def test_removes_in_portions_and_stops_when_its_time_is_up(web_shop: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MESSAGES_AT_ONCE", 4)
    held(web_shop, days=100, n=10)
    assert retention.remove_due(budget_seconds=0) == Figures(0, 0, 0)
    clock = chain(repeat(0.0, 2 + 3 * Source.objects.count()), repeat(5.0))  # one portion of each
    with monkeypatch.context() as patched:
        patched.setattr("ingestion.health.retention.time.monotonic", lambda: next(clock))
        assert retention.remove_due(budget_seconds=3).quarantine == 4
    assert RemovedByRetention.objects.get().n == 4
    assert retention.remove_due().quarantine == 6
    assert RemovedByRetention.objects.get().n == 10


def test_says_once_a_day_in_the_audit_that_it_removed(web_shop: Source) -> None:
    for _run in range(3):
        held(web_shop, days=100)
        retention.remove_due()
    event = AuditEvent.objects.get(action="retention.remove")
    assert (event.actor, event.target_id, event.fields) == ("system:retention", str(web_shop.pk), ["quarantine"])


def test_what_was_refused_long_ago_is_forgotten(web_shop: Source) -> None:
    hour = timezone.now() - timedelta(days=91)
    RejectedHour.objects.create(source=web_shop, hour=hour, status=429, n=1, last_at=hour)
    retention.remove_due()
    assert not RejectedHour.objects.exists()


def test_refused_requests_are_counted_by_status_and_written_now_and_then(web_shop: Source) -> None:
    rejections.flush()
    RejectedHour.objects.all().delete()
    for status in (429, 429, 413):
        rejections.note(web_shop, status)
    rejections.note(None, 401)
    assert sum(row.n for row in RejectedHour.objects.all()) < 4
    rejections.flush()
    rejections.note(web_shop.pk, 429)
    rejections.flush()
    assert {one.status: one.n for one in troubles.refused(web_shop)} == {429: 3, 413: 1}
    assert [(one.status, one.n) for one in troubles.refused(None)] == [(401, 1)]


class TestPages:
    def test_shows_what_would_go_before_anything_is_saved(self, web_shop: Source, login: Login, steward: User) -> None:
        held(web_shop, days=15, n=1_234)
        client = login(steward)
        path = reverse("ingestion:source_retention", args=[web_shop.pk])
        assert "This would remove nothing now." in client.get(path).content.decode()
        tried = client.post(
            reverse("ingestion:try_source_retention", args=[web_shop.pk]),
            {"quarantine_days": "14", "file_days": "", "batch_days": ""},
        )
        assert "1,234" in tried.content.decode()
        assert QuarantinedItem.objects.count() == 1_234
        assert "retention.change" not in AuditEvent.objects.values_list("action", flat=True)
        form = {"quarantine_days": "14", "file_days": "", "batch_days": ""}
        assert client.post(path, form | {"quarantine_days": "0"}).status_code == 422
        assert client.post(path, form).status_code == 302
        assert "1,234" in client.get(path).content.decode()
        retention.remove_due()
        page = client.get(reverse("ingestion:source", args=[web_shop.pk])).content.decode()
        assert "1,234 held-back messages" in page

    def test_the_companys_numbers_have_a_page(self, web_shop: Source, login: Login, admin: User) -> None:
        client, path = login(admin), reverse("ingestion:retention")
        form = {"quarantine_days": "30", "file_days": "10", "batch_days": "5"}
        assert client.post(path, form | {"file_days": ""}).status_code == 422
        assert client.post(path, form).status_code == 302
        assert retention.company_days() == retention.Days(30, 10, 5)
        retention.change(source=web_shop, days={"file_days": 3}, by=admin)
        assert "Web shop" in client.get(path).content.decode()
        held(web_shop, days=40)
        tried = client.post(reverse("ingestion:try_retention"), form).content.decode()
        assert "Held-back messages" in tried
        assert client.post(reverse("ingestion:try_retention"), {"file_days": "x"}).status_code == 422

    def test_outsiders_find_nothing(self, web_shop: Source, login: Login, outsider: User, marketer: User) -> None:
        for user in (outsider, marketer):
            client = login(user)
            for path in (
                reverse("ingestion:try_source_retention", args=[web_shop.pk]),
                reverse("ingestion:try_retention"),
                reverse("ingestion:retention"),
            ):
                assert client.post(path, {"quarantine_days": "1"}).status_code == 404
