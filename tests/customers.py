"""Customers whom several sources know, made by the real doors: a plugin for the tests of their pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from cdp_site.core.models import User
from ingestion import landing
from ingestion.models import Source
from profiles import digest, openings
from profiles.models import Membership, Profile

LATELY = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)  # 12:00 in Bangkok
Tell = Callable[..., None]


def identify(user: str, **traits: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "messageId": f"identify-{user}",
        "userId": user,
        "timestamp": LATELY.isoformat(),
        "traits": traits,
    }


def track(user: str, event: str, *, hours: float = 0, **properties: Any) -> dict[str, Any]:
    """`hours` before LATELY."""
    return {
        "type": "track",
        "messageId": f"{event}-{user}-{hours}",
        "userId": user,
        "event": event,
        "timestamp": (LATELY - timedelta(hours=hours)).isoformat(),
        "properties": properties,
    }


@pytest.fixture
def tell(db: None) -> Tell:
    """Land messages of a source and digest them."""

    def land(source: Source, *messages: dict[str, Any]) -> None:
        landing.land(source=source, messages_raw=list(messages), door="api")
        digest.drain()

    return land


def profile_of(source: Source, external_id: str) -> Profile:
    """The live profile of a source's record."""
    membership = Membership.objects.select_related("profile").get(
        record__source=source, record__external_id=external_id, valid_to__isnull=True
    )
    return membership.profile


def open_for_call(profile: Profile, *, to: User, call_id: int = 1) -> None:
    """The agent talks to the customer, who was verified: identifiers are shown."""
    openings.open_for_call(profile, call_id=call_id, by=to)


@pytest.fixture
def somchai(tell: Tell, web_shop: Source, pos: Source, call_centre: Source) -> Profile:
    """Known to the web shop (marketing's), the point of sale (everybody's) and the call centre (care's)."""
    tell(
        pos,
        identify("P1", title="นาย", firstName="สมชาย", lastName="ใจดี", phone="086-345-1972", member_id="M-88213"),
        track("P1", "Order Completed", hours=900, order_id="R-1", total=1250, currency="THB"),
    )
    tell(
        web_shop,
        identify("u1", firstName="สมชาย", lastName="ใจดีมาก", phone="0863451972", email="somchai@baansabai.co.th"),
        track("u1", "Product Viewed", hours=30, name="เก้าอี้ไม้โอ๊ค", category="เฟอร์นิเจอร์", color="แดง", price=3990),
        track(
            "u1",
            "Order Completed",
            hours=20,
            order_id="W-1",
            total=4740,
            currency="THB",
            products=[
                {"sku": "CH-1", "name": "เก้าอี้ไม้โอ๊ค", "price": 3990, "quantity": 1},
                {"sku": "CU-2", "name": "เบาะรองนั่ง", "price": 375, "quantity": 2},
            ],
        ),
    )
    tell(
        call_centre,
        identify("C1", firstName="สมชาย", lastName="ใจดี", phone="+66863451972", occupation="สถาปนิก"),
        track("C1", "Call Ended", hours=10, reason="ถามขนาด", outcome="ตอบแล้ว", duration_seconds=61, notes="สูง 45 ซม."),
    )
    return profile_of(pos, "P1")


@pytest.fixture
def manee(tell: Tell, web_shop: Source) -> Profile:
    """Known to the web shop alone, which is marketing's."""
    tell(web_shop, identify("u7", firstName="มานี", lastName="มีนา", email="manee@baansabai.co.th"))
    return profile_of(web_shop, "u7")


@pytest.fixture
def as_steward(login: Callable[..., Client], steward: User) -> Client:
    """Somebody who sees everything."""
    return login(steward)
