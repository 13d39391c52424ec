"""The pages of the review: who may open them, what they say when there is nothing to decide."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def test_says_when_nothing_waits(login: Login, steward: User) -> None:
    client = login(steward)
    page = client.get(reverse("profiles:review"))
    assert page.status_code == 200
    assert 'class="state"' in page.content.decode()
    assert client.get(reverse("profiles:review_count")).content.decode().strip() == ""


def test_the_navigation_leads_to_the_review(login: Login, steward: User) -> None:
    entered = login(steward).get(reverse("profiles:matching"))
    assert entered.headers["Location"] == reverse("profiles:review")


@pytest.mark.parametrize("name", ["outsider", "agent", "marketer", "analyst", "admin", "compliance"])
def test_nobody_else_gets_in(login: Login, request: pytest.FixtureRequest, name: str) -> None:
    client = login(request.getfixturevalue(name))
    for address in ("matching", "review", "review_count"):
        assert client.get(reverse(f"profiles:{address}")).status_code == 404
