"""What the customer's page costs in queries: the first screen, and each panel beside what every request costs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from cdp_site.operations.bench import pages
from ingestion.models import Source
from profiles import arrangement, notes
from profiles.models import Profile
from tests.customers import Tell, track

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
ROLES = ("agent", "marketer", "steward", "compliance")


@pytest.fixture
def busy(somchai: Profile, tell: Tell, web_shop: Source, agent: User) -> Profile:
    """With something of everything on the timeline."""
    mail = {"campaign": "chair-week", "subject": "Chair week"}
    tell(
        web_shop,
        track("u1", "Email Delivered", hours=50, **mail),
        track("u1", "Email Opened", hours=49, **mail),
        *[track("u1", "Page Viewed", hours=48 + n / 60, title=f"page {n}") for n in range(5)],
        track("u1", "Order Refunded", hours=5, order_id="W-1", total=375, refund=375, currency="THB"),
    )
    notes.add(profile=somchai, text="โทรกลับ", by=agent)
    return somchai


def costs(client: Client, name: str, profile: Profile, *, htmx: bool) -> pages.Costs:
    path = reverse(name, args=[profile.public_id])
    return pages.costs(client, [path] * (pages.WARM_UP + 1), htmx=htmx)


@pytest.mark.parametrize("role", ROLES)
def test_the_first_screen_costs_no_more_than_twelve(
    role: str, busy: Profile, login: Login, request: pytest.FixtureRequest
) -> None:
    client = login(request.getfixturevalue(role))
    assert costs(client, "profiles:customer", busy, htmx=False).queries <= pages.FIRST_QUERIES


@pytest.mark.parametrize("role", ROLES)
def test_a_panel_costs_no_more_than_six_of_its_own(
    role: str, busy: Profile, login: Login, request: pytest.FixtureRequest
) -> None:
    user: Any = request.getfixturevalue(role)
    client = login(user)
    told = {
        panel.key: costs(client, panel.url_name, busy, htmx=True).own_queries
        for panel in arrangement.panels_of(user)
        if panel.url_name
    }
    assert {key: number for key, number in told.items() if number > pages.PANEL_QUERIES} == {}


def test_the_timeline_costs_no_more_than_nine_of_its_own(busy: Profile, login: Login, steward: User) -> None:
    """Rows, notes, counts; mails one more; orders three, with refunds and words of the catalogue at most six."""
    assert costs(login(steward), "profiles:timeline", busy, htmx=True).own_queries <= 9
