"""What a public write key may do: add behaviour and identify its own visitor. Anybody can read one out of a page."""

from typing import Any, ClassVar

import pytest
from django.urls import get_resolver

from consent import gate
from consent.models import Channel, ConsentEntry, Purpose
from ingestion import keys, landing, suppression
from ingestion.models import Source
from profiles import digest, rebuild
from profiles.models import AccountMembership, Order, Profile, SourceRecord, Touchpoint
from tests.customers import profile_of
from tests.factories.arrivals import arrive, identify, on_day, row, track

pytestmark = pytest.mark.django_db

EMAIL, PHONE = "victim@baansabai.co.th", "0863451972"


@pytest.fixture
def victim(web_shop: Source, pos: Source) -> Profile:
    """A customer whom the shop's own systems know."""
    arrive(web_shop, identify("victim", email=EMAIL, phone=PHONE, memberId="M1", firstName="Suda", lastName="Rakdee"))
    arrive(pos, row("p1", email=EMAIL, first_name="Suda", last_name="Rakdee"))
    return profile_of(web_shop, "victim")


def from_a_browser(source: Source, *messages: dict[str, Any]) -> dict[str, int]:
    return arrive(source, *messages, is_public_key=True, door="api")


def may_mail(who: Profile) -> gate.Permission:
    return gate.may_use(who, Purpose.objects.get(slug="marketing"), Channel.EMAIL)


def test_behaviour_is_added(web_shop, victim):
    assert from_a_browser(web_shop, track("Product Viewed", "victim", sku="A")) == {"stored": 1}
    assert Touchpoint.objects.get().profile == victim


def test_a_visitor_is_identified(web_shop):
    from_a_browser(web_shop, track("Product Viewed", device="d1"), identify("u1", device="d1", firstName="Mali"))

    assert Touchpoint.objects.get().profile == profile_of(web_shop, "u1")
    assert profile_of(web_shop, "u1").golden["first_name"] == "Mali"


@pytest.mark.parametrize(
    "attack",
    [
        [identify("attacker", email=EMAIL)],
        [identify("attacker", phone=PHONE, firstName="Suda", lastName="Rakdee")],
        [identify("attacker", memberId="M1")],
        [{**track("Product Viewed", "attacker"), "context": {"traits": {"email": EMAIL, "memberId": "M1"}}}],
        [{"type": "alias", "previousId": "victim", "userId": "attacker"}],
        [{"type": "alias", "previousId": "attacker", "userId": "victim"}, identify("attacker")],
        [identify("victim", device="d1"), identify("attacker", device="d1")],
        [identify("attacker", device="victim")],
        [{**identify("attacker"), "cdp": {"record": {"external_id": "victim"}}}],
        [{**identify("attacker"), "cdp": {"identifiers": [{"kind": "user", "value": "victim"}]}}],
        [{"type": "group", "groupId": "acme", "userId": who} for who in ("victim", "attacker")],
    ],
    ids=["e-mail", "phone and name", "member id", "context", "alias", "alias back", "kiosk", "device", "cdp record",
         "cdp id", "account"],
)  # fmt: skip
def test_two_identified_people_are_never_joined(web_shop, victim, attack):
    from_a_browser(web_shop, identify("attacker", firstName="Mallory"), *attack)

    assert profile_of(web_shop, "attacker") != profile_of(web_shop, "victim")
    assert profile_of(web_shop, "victim") == victim
    assert rebuild.check() == []


def test_a_withdrawal_is_never_overridden(web_shop, victim):
    said = {"purpose": "marketing", "channel": "email"}
    arrive(web_shop, track("Consent Granted", "victim", day=0, **said))
    assert may_mail(victim).addresses
    arrive(web_shop, track("Consent Withdrawn", "victim", day=1, **said))

    from_a_browser(web_shop, track("Consent Granted", "victim", day=2, **said))

    assert ConsentEntry.objects.count() == 3
    assert not may_mail(victim).addresses


def test_a_refusal_counts(web_shop, victim):
    said = {"purpose": "marketing", "channel": "email"}
    arrive(web_shop, track("Consent Granted", "victim", day=0, **said))

    from_a_browser(web_shop, track("Consent Refused", "victim", day=1, **said))

    assert not may_mail(victim).addresses


def test_an_address_typed_into_a_console_is_not_written_to(web_shop, victim):
    said = {"purpose": "marketing", "channel": "email"}
    arrive(web_shop, track("Consent Granted", "victim", **said))

    from_a_browser(web_shop, identify("victim", day=5, email="mallory@example.com"))

    assert "mallory@example.com" not in str(may_mail(victim).addresses)


class TestOrders:
    ORDER: ClassVar = {"order_id": "o1", "currency": "THB", "products": [{"sku": "A", "quantity": 2, "price": 290}]}

    @pytest.mark.parametrize("event", ["Order Completed", "Order Updated", "Order Refunded", "Order Cancelled"])
    def test_an_order_is_what_the_companys_systems_say(self, web_shop, victim, event):
        arrive(web_shop, track("Order Completed", "victim", **self.ORDER))

        from_a_browser(web_shop, track(event, "attacker", day=9, order_id="o1", total=1, products=[]))

        order = Order.objects.get()
        assert (order.profile, order.total, order.refunded, order.status) == (victim, 580, 0, "completed")
        assert order.lines.count() == 1

    def test_what_a_browser_says_of_one_is_behaviour(self, web_shop):
        from_a_browser(web_shop, track("Order Completed", "u1", **self.ORDER))

        assert not Order.objects.exists()
        assert Touchpoint.objects.get().properties["products"] == self.ORDER["products"]

    def test_and_does_not_take_the_orders_place(self, web_shop):
        """Neither told first, nor under the name that the order's own touchpoint will bear."""
        told = track("Order Completed", "attacker", **self.ORDER)
        from_a_browser(web_shop, told, told | {"messageId": "order\0o1\0Order Completed"})

        arrive(web_shop, track("Order Completed", "u1", **self.ORDER))

        assert Order.objects.get().profile == profile_of(web_shop, "u1")
        assert Touchpoint.objects.get(order__isnull=False).profile == profile_of(web_shop, "u1")


def test_messages_without_a_name_cannot_be_forestalled(web_shop):
    """A message without messageId is known by its place in its batch: no sender can use that name before it."""
    batch = landing.land(source=web_shop, messages_raw=[track("Probe", "u0") | {"messageId": None}], door="api")
    digest.drain()
    names = [f"{mark}{batch.pk + ahead}:0" for ahead in range(1, 9) for mark in ("\x01", "")]
    from_a_browser(web_shop, *[track("Forestalled", "attacker") | {"messageId": name} for name in names])

    assert arrive(web_shop, track("Product Viewed", "u1") | {"messageId": None}) == {"stored": 1}


def test_an_erased_person_does_not_come_back_by_it(web_shop, monkeypatch):
    """Only an act of the person's own lifts a suppression, and what comes from a browser proves none."""
    asked: list[suppression.Candidate] = []
    monkeypatch.setattr(suppression, "holds_anybody", lambda: True)
    monkeypatch.setattr(suppression, "matches", lambda candidates: asked.extend(candidates) or set())
    said = [
        identify("u1", email=EMAIL),
        track("Consent Granted", "u1", purpose="marketing", channel="email"),
    ]

    arrive(web_shop, *said)
    from_a_browser(web_shop, *[message | {"messageId": f"again-{number}"} for number, message in enumerate(said)])

    assert [one.is_own_act for one in asked] == [True, True, False, False]


def test_it_describes_no_account(web_shop):
    call = {"type": "group", "groupId": "acme", "userId": "u1", "timestamp": on_day(1), "traits": {"name": "Defaced"}}
    from_a_browser(web_shop, call)

    membership = AccountMembership.objects.get()
    assert (membership.is_confirmed, membership.account.traits) == (False, {})


def test_it_reads_nothing(client, web_shop, victim):
    """Every address of the machine interfaces that answers a GET says the same with a key as without one."""
    key = keys.make(source=web_shop, by="system:test", is_public=True)[1]
    for path in ("/v1/identify", "/v1/track", "/v1/batch", "/v1/import", "/api/schema"):
        answers = [client.get(path, headers=headers) for headers in ({}, {"Authorization": f"Bearer {key}"})]
        assert answers[0].status_code == answers[1].status_code
        assert EMAIL not in answers[1].content.decode()
    assert get_resolver().resolve("/v1/track")
    assert SourceRecord.objects.filter(external_id="victim").exists()
