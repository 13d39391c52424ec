"""A customer is opened for a reason; compliance sees who opened whom, why, and who opens many."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from cdp_site.core import audit
from cdp_site.core.models import AuditEvent, User
from profiles import openings
from profiles.models import CustomerOpening, OpeningReason, Profile
from tests.customers import open_for_call

pytestmark = pytest.mark.usefixtures("in_english")

Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def url(name: str, profile: Profile) -> str:
    return reverse(f"profiles:{name}", args=[profile.public_id])


def page(client: Client, profile: Profile) -> str:
    return client.get(url("customer", profile)).content.decode()


class TestReveal:
    def test_asks_why_opens_and_says_until_when(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        assert "Contact details are masked" in client.get(url("opening", somchai)).content.decode()
        assert "086 345 1972" not in page(client, somchai)
        assert "Why do you need them?" in client.get(url("reveal", somchai), headers=HTMX).content.decode()
        answer = client.post(url("reveal", somchai), {"reason": "order"}, headers=HTMX)
        assert answer.headers["HX-Redirect"] == url("customer", somchai)
        assert "086 345 1972" in page(client, somchai)
        assert "open for you until" in client.get(url("opening", somchai)).content.decode()

    def test_without_scripts_too(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        assert "<html" in client.get(url("reveal", somchai)).content.decode()
        assert client.post(url("reveal", somchai), {"reason": "order"}).headers["Location"] == url("customer", somchai)

    @pytest.mark.parametrize("reason", ["", "verified_call", "curious"])
    def test_takes_a_reason_of_the_list(self, somchai: Profile, login: Login, agent: User, reason: str) -> None:
        client = login(agent)
        assert client.post(url("reveal", somchai), {"reason": reason}, headers=HTMX).status_code == 422
        assert "086 345 1972" not in page(client, somchai)

    def test_says_when_the_day_is_over(self, somchai: Profile, login: Login, agent: User, settings: Settings) -> None:
        settings.REVEALS_PER_DAY = 0
        answer = login(agent).post(url("reveal", somchai), {"reason": "order"}, headers=HTMX)
        assert answer.status_code == 422
        assert "more are not possible today" in answer.content.decode()

    def test_fails_with_the_audit(
        self, somchai: Profile, login: Login, agent: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**_said: Any) -> None:
            raise RuntimeError("the audit cannot be written")

        client = login(agent)
        client.raise_request_exception = False
        monkeypatch.setattr(audit, "record", fail)
        assert client.post(url("reveal", somchai), {"reason": "order"}).status_code == 500
        monkeypatch.undo()
        assert not CustomerOpening.objects.exists()
        assert "086 345 1972" not in page(client, somchai)

    @pytest.mark.parametrize("role", ["marketer", "steward", "compliance", "analyst", "admin", ""])
    def test_is_for_who_talks_to_customers(
        self, somchai: Profile, login: Login, make_user: Callable[..., User], role: str
    ) -> None:
        client = login(make_user(role, name="somebody"))
        assert client.get(url("opening", somchai)).status_code == 404
        assert client.post(url("reveal", somchai), {"reason": "order"}).status_code == 404

    def test_nobody_opens_whom_they_do_not_see(self, manee: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        assert client.get(url("opening", manee)).status_code == 404
        assert client.post(url("reveal", manee), {"reason": "order"}).status_code == 404
        assert not CustomerOpening.objects.exists()

    def test_ends_with_the_role(self, somchai: Profile, login: Login, agent: User) -> None:
        open_for_call(somchai, to=agent)
        agent.role = "marketer"
        agent.save()
        assert "086 345 1972" not in page(login(agent), somchai)


class TestWhoLookedAtMe:
    def test_names_the_reason(self, somchai: Profile, login: Login, agent: User, compliance: User) -> None:
        page(login(agent), somchai)
        openings.open_for_reason(somchai, reason=OpeningReason.COMPLAINT, by=agent)
        told = login(compliance).get(reverse("consent:access_log", args=[somchai.public_id])).content.decode()
        assert "A complaint of the customer" in told
        assert "identifiers, for a reason" in told
        assert agent.username in told

    def test_is_for_compliance(self, somchai: Profile, login: Login, agent: User, steward: User, admin: User) -> None:
        for user in (agent, steward, admin):
            address = reverse("consent:access_log", args=[somchai.public_id])
            assert login(user).get(address).status_code == 404


class TestAlarm:
    @pytest.fixture(autouse=True)
    def _low(self, settings: Settings) -> None:
        settings.REVEALS_PER_DAY, settings.REVEALS_BEFORE_ALARM = 1, 1

    def test_reaches_compliance(self, somchai: Profile, login: Login, agent: User, compliance: User) -> None:
        client = login(compliance)
        assert "Nothing unusual today" in client.get("/audit/alarms/").content.decode()
        assert client.get("/audit/alarms/count/").content.strip() == b""
        openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=agent)
        told = client.get("/audit/alarms/").content.decode()
        assert agent.username in told
        assert "1 customer today" in told
        assert "no more today" in told
        assert "1 person opened many customers today" in client.get("/audit/alarms/count/").content.decode()
        assert AuditEvent.objects.filter(action=openings.ALARM).exists()

    def test_says_nothing_of_customers(
        self, somchai: Profile, login: Login, agent: User, admin: User, outsider: User
    ) -> None:
        openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=agent)
        assert str(somchai.public_id) not in login(admin).get("/audit/alarms/").content.decode()
        for user in (agent, outsider):
            assert login(user).get("/audit/alarms/").status_code == 404
