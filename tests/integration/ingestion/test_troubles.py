"""What went wrong at a source lately, as its page shows it."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion import keys
from ingestion.health import rejections, troubles
from ingestion.models import FutureHour, InboundBatch, QuarantinedItem, RejectedHour, Source
from tests.factories.arrivals import arrive, track

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def nothing_counted_before(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"
    rejections.flush()
    RejectedHour.objects.all().delete()


def test_refusals_of_the_event_api_are_counted_by_source(web_shop: Source) -> None:
    _key, secret = keys.make(source=web_shop, by="system:test")
    client = Client()
    send = {"path": "/v1/batch", "content_type": "application/json"}
    assert client.post(**send, data=b"{", headers={"Authorization": f"Basic {_basic(secret)}"}).status_code == 400
    assert client.post(**send, data=b"{}", headers={"Authorization": f"Basic {_basic('nobody')}"}).status_code == 401
    rejections.flush()
    assert [(one.status, one.n) for one in troubles.refused(web_shop)] == [(400, 1)]
    assert [(one.status, one.n) for one in troubles.refused(None)] == [(401, 1)]


def _basic(key: str) -> str:
    return base64.b64encode(f"{key}:".encode()).decode()


def test_refusals_of_unknown_keys_stand_below_the_list_for_those_who_manage(
    web_shop: Source, login: Login, steward: User, marketer: User
) -> None:
    rejections.note(None, 401)
    rejections.flush()
    pages = [login(user).get(reverse("ingestion:sources")).content.decode() for user in (steward, marketer)]
    assert ["wrong or revoked key" in page for page in pages] == [True, False]


def test_messages_of_the_future_are_counted_when_they_are_stored(web_shop: Source) -> None:
    far = (timezone.now() + timedelta(days=40)).isoformat()
    near = (timezone.now() + timedelta(hours=5)).isoformat()
    arrive(
        web_shop,
        track("Viewed", "u1") | {"timestamp": far},
        track("Viewed", "u1") | {"timestamp": near},
        track("Viewed", "u1"),
    )
    hour = FutureHour.objects.get()
    assert (hour.source, hour.n, hour.furthest.days) == (web_shop, 1, 39)
    found = troubles.of_source(web_shop)
    assert found.future is not None
    assert (found.future.n, found.future.furthest_days) == (1, 39)
    arrive(web_shop, track("Viewed", "u1") | {"timestamp": far})
    assert FutureHour.objects.get().n == 2


def test_the_page_says_what_was_wrong_last(web_shop: Source, login: Login, marketer: User) -> None:
    client, path = login(marketer), reverse("ingestion:source", args=[web_shop.pk])
    assert "None in the last 7 days." in client.get(path).content.decode()
    QuarantinedItem.objects.create(
        at=timezone.now(), source=web_shop, batch_id=0, position=0, reason="malformed", payload=b"x"
    )
    rejections.note(web_shop, 429)
    rejections.flush()
    for n in range(3):
        batch = InboundBatch.objects.create(
            received_at=timezone.now() - timedelta(minutes=n), source=web_shop, door="api", n_items=1, raw=b"[{}]"
        )
        InboundBatch.objects.filter(pk=batch.pk).update(sent_at=batch.received_at + timedelta(hours=7))
    page = client.get(path).content.decode()
    assert reverse("ingestion:quarantine_group", args=[web_shop.pk, "malformed"]) in page
    assert "too many at once" in page
    assert "Its clock is 7 h 0 min ahead of ours." in page
