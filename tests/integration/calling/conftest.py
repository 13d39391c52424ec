"""Customers of one number, as the doors bring them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.calling import lines
from profiles.models import Call, Profile
from tests.customers import Tell, identify, profile_of

PHONE = "081 394 5678"


@pytest.fixture(autouse=True)
def _pages_are_read_in_english(in_english: None) -> None: ...


@pytest.fixture
def pim(tell: Tell, pos: Source) -> Profile:
    """Known to the point of sale, which is everybody's, with five facts; the last order is of yesterday."""
    yesterday = timezone.now() - timedelta(days=1)
    tell(
        pos,
        identify(
            "P9",
            firstName="พิมพ์ชนก",
            lastName="แสงอรุณ",
            phone=PHONE,
            email="pim@baansabai.co.th",
            birthday="1991-02-14",
            member_id="M-7788001",
            language="th",
            address={"street": "88/214", "postalCode": "10260"},
        ),
        {
            "type": "track",
            "messageId": "order-of-pim",
            "userId": "P9",
            "event": "Order Completed",
            "timestamp": yesterday.isoformat(),
            "properties": {"order_id": "WB-000123", "total": 4740.5, "currency": "THB"},
        },
    )
    return profile_of(pos, "P9")


@pytest.fixture
def tim(tell: Tell, pos: Source, pim: Profile) -> Profile:
    """Another customer with Pim's number."""
    tell(pos, identify("P10", firstName="ทิม", lastName="แสงอรุณ", phone=PHONE, birthday="1988-07-01"))
    return profile_of(pos, "P10")


@pytest.fixture
def call_of(pim: Profile) -> Callable[[User], Call]:
    """The agent takes a call from Pim's number."""
    return lambda agent: lines.begin(number=PHONE, by=agent)
