"""Events that say nothing new about a person we know take the short way; everything else the long one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import transaction

from ingestion import landing, suppression
from ingestion.models import InboundBatch, QuarantinedItem, Source
from ingestion.suppression import Erased
from profiles import digest, intake, orders
from profiles.models import Identifier, Order, Profile, Touchpoint

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
Send = Callable[..., dict[str, int]]


@pytest.fixture
def send(web_shop: Source) -> Send:
    """Land messages as one batch and digest it; returns the counts."""

    def land(*messages: dict[str, Any], **more: Any) -> dict[str, int]:
        landing.land(source=web_shop, messages_raw=list(messages), door="api", **more)
        return dict(+digest.drain().counts)

    return land


def view(number: int, *, user: str | None = "u1", device: str | None = "d1", event: str = "Product Viewed") -> dict:
    at = NOON + timedelta(minutes=number)
    return {
        "type": "track",
        "messageId": f"{event}-{user}-{device}-{number}",
        "userId": user,
        "anonymousId": device,
        "event": event,
        "timestamp": at.isoformat(),
        "properties": {"color": "แดง", "price": 1990.5, "tags": ["a", None], "\\": "\t\n"},
    }


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements went the long way, step by step."""
    counts: list[int] = []
    take = intake.take

    def counting(statements: Any, *args: Any, **kwargs: Any) -> Any:
        counts.append(len(statements))
        return take(statements, *args, **kwargs)

    monkeypatch.setattr(intake, "take", counting)
    return counts


def test_who_is_known_takes_the_short_way(send: Send, told: list[int]) -> None:
    send(view(0))
    assert send(view(1), view(2)) == {"stored": 2}
    assert told == [1, 0]
    stored = Touchpoint.objects.order_by("occurred_at")
    assert {touchpoint.profile_id for touchpoint in stored} == {Profile.objects.get().pk}
    assert stored[2].properties == view(2)["properties"]
    assert (stored[2].occurred_at, stored[2].original_at) == (NOON + timedelta(minutes=2), None)


@pytest.mark.parametrize(
    "message",
    [
        view(5, device="d2"),
        view(-5),
        view(5, user="u2"),
        view(5) | {"context": {"traits": {"city": "Trang"}}},
        view(5, event="Consent Granted") | {"properties": {"purpose": "marketing", "channel": "email"}},
        view(5, event="Order Completed") | {"properties": {"order_id": "A1", "total": 10}},
        view(5) | {"context": {"groupId": "company-1"}},
    ],
    ids=["device", "earlier", "user", "traits", "consent", "order", "account"],
)
def test_what_says_something_new_takes_the_long_way(send: Send, told: list[int], message: dict[str, Any]) -> None:
    send(view(0))
    send(message)
    assert told == [1, 1]


def test_a_device_that_was_used_earlier_than_known_is_noted(send: Send) -> None:
    send(view(0))
    send(view(-30))
    assert Identifier.objects.get(kind="device").valid_from == NOON - timedelta(minutes=30)


def test_who_was_erased_stays_out(send: Send) -> None:
    send(view(0), view(1, user="u2", device="d2"))
    with transaction.atomic():
        suppression.suppress(
            identifiers=[Erased("device", "web", "d1")],
            names=[],
            erased_at=NOON + timedelta(hours=1),
            request_id=uuid4(),
            by="system:test",
        )
    assert send(view(2), view(3, user="u2", device="d2")) == {"suppressed": 1, "stored": 1}


def test_a_message_that_another_worker_stored_meanwhile_is_a_duplicate(send: Send) -> None:
    send(view(0), view(1))
    batch = InboundBatch.objects.get()
    # Nothing was there when this step looked.
    with mock.patch(
        "profiles.storing._TOUCHPOINTS_THERE", "SELECT id FROM profiles_touchpoint WHERE id <> ALL(%s::uuid[]) LIMIT 0"
    ):
        assert send(view(1), view(2)) == {"duplicate": 1, "stored": 1}
    assert Touchpoint.objects.count() == 3
    assert batch.n_stored == 2


def test_a_value_that_the_database_refuses_harms_nobody_else(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "GREATEST", Decimal(10) ** 30)  # as if reading had let it pass
    send(view(0))
    line = {"sku": "X", "quantity": 900_000_000, "price": 900_000_000}
    poison = view(1, event="Order Completed") | {"properties": {"order_id": "P", "products": [line, line]}}
    good = view(2, event="Order Completed") | {"properties": {"order_id": "A", "total": 5}}
    assert send(poison, good, view(3)) == {"stored": 2, "quarantined": 1}
    assert QuarantinedItem.objects.get().reason == "failed"
    assert Order.objects.get().external_id == "A"
    # At once: to wait for two further attempts would mend no value.
    assert InboundBatch.objects.order_by("-pk")[0].attempts == 1
