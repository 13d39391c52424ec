"""An order's events are one card: state, payment, parcel, refunds; and what orders are worth together."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation

from cdp_site.core.access import scope_of
from ingestion.models import QuarantinedItem
from profiles import overview, timeline
from profiles.models import EventType, ExchangeRate, Order, Profile
from tests.customers import LATELY, identify, profile_of, track

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english(settings):
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield


HOURS = {"Order Completed": 9, "Order Paid": 8, "Order Fulfilled": 7, "Order Delivered": 5, "Order Refunded": 4}


def life(**more: object) -> list[dict]:
    """The six events of one order, in the order of time."""
    stated = {
        "Order Completed": {"total": 1000, "currency": "THB", "order_url": "https://shop.example/orders/A-1"},
        "Order Paid": {"payment_method": "PromptPay"},
        "Order Fulfilled": {
            "carrier": "Kerry",
            "tracking_number": "TH-1",
            "tracking_url": "https://kerry.example/TH-1",
        },
        "Order Delivered": {},
        "Order Refunded": {"total": 250, "currency": "THB"},
    }
    events = [track("u9", event, hours=HOURS[event], order_id="A-1", **stated[event]) for event in HOURS]
    second = track("u9", "Order Fulfilled", hours=6, order_id="A-1", carrier="Flash", tracking_number="TH-2")
    return [*events, second]


@pytest.fixture
def buyer(tell, web_shop) -> Profile:
    tell(web_shop, identify("u9", firstName="ปิติ", lastName="พอใจ"))
    return profile_of(web_shop, "u9")


def row() -> dict:
    return Order.objects.values(
        *("status", "total", "refunded", "placed_at", "paid_at", "payment_method", "shipped_at", "carrier"),
        *("tracking_number", "tracking_url", "delivered_at", "url", "is_born", "version_at"),
    ).get()


def test_any_order_of_arrival_ends_in_the_same_order(tell, web_shop, buyer):
    tell(web_shop, *life())
    expected = row()
    assert expected["status"] == "refunded"
    assert (expected["paid_at"], expected["payment_method"]) == (LATELY - timedelta(hours=8), "PromptPay")
    assert (expected["carrier"], expected["tracking_number"], expected["tracking_url"]) == ("Flash", "TH-2", "")
    assert expected["delivered_at"] == LATELY - timedelta(hours=5)
    assert expected["url"] == "https://shop.example/orders/A-1"

    for number, events in enumerate(itertools.islice(itertools.permutations(life()), 0, 720, 60)):
        other = [event | {"messageId": f"{number}-{event['messageId']}"} for event in events]
        for event in other:
            event["properties"] = event["properties"] | {"order_id": f"A-{number + 2}"}
            tell(web_shop, event)
        got = Order.objects.filter(external_id=f"A-{number + 2}").values(*expected).get()
        assert got == expected, [event["event"] for event in events]


def test_an_amount_beyond_all_sense_is_held_and_harms_nobody(tell, web_shop, buyer):
    lines = [{"sku": str(number), "quantity": 900_000_000, "price": 900_000_000} for number in range(2)]
    tell(web_shop, track("u9", "Order Completed", order_id="P", products=lines))
    assert not Order.objects.exists()
    assert "quantity × price is too large" in QuarantinedItem.objects.get().detail


def test_payment_and_parcels_leave_the_state_alone(tell, web_shop, buyer):
    tell(web_shop, *[event for event in life() if event["event"] in ("Order Paid", "Order Fulfilled")])
    assert row()["status"] == "placed"
    tell(web_shop, track("u9", "Order Cancelled", hours=8.5, order_id="A-1"))
    assert row()["status"] == "cancelled"


def test_six_events_are_one_card(tell, web_shop, buyer, login, steward):
    tell(web_shop, *life())
    scope = scope_of(steward)

    page = timeline.page(buyer, scope=scope, filters=timeline.Filters(), after=None)
    cards = [item.card for item in page.entries if item.card]
    assert len(page.entries) == len(cards) == 1
    assert [step.label for step in cards[0].steps] == ["Paid", "Shipped", "Delivered", "Refunded"]
    assert cards[0].is_partly_refunded

    html = login(steward).get(reverse("profiles:timeline", args=[buyer.public_id])).content.decode()
    for said in ("partly refunded", "PromptPay", "Flash · TH-2", "Open in", "https://shop.example/orders/A-1"):
        assert said in html, said

    paid = EventType.objects.get(name="Order Paid")
    alone = timeline.page(buyer, scope=scope, filters=timeline.Filters(type_id=paid.pk), after=None)
    assert [item.touchpoint.type.name for item in alone.entries] == ["Order Paid"]


def test_a_parcel_of_an_unknown_order_is_a_line_of_its_own(tell, web_shop, buyer, steward):
    tell(web_shop, track("u9", "Order Fulfilled", order_id="LOST", carrier="Kerry"))
    page = timeline.page(buyer, scope=scope_of(steward), filters=timeline.Filters(), after=None)
    assert [(item.touchpoint.type.name, item.card) for item in page.entries] == [("Order Fulfilled", None)]


def test_addresses_that_are_no_web_address_are_no_links(tell, web_shop, buyer):
    tell(web_shop, track("u9", "Order Completed", order_id="A-1", total=1, order_url="javascript:alert(1)"))
    assert row()["url"] == ""


class TestCompanyCurrency:
    def bought(self, tell, source, order_id: str, total: int, currency: str, **more: object) -> None:
        tell(source, track("u9", "Order Completed", order_id=order_id, total=total, currency=currency, **more))

    def test_each_order_counts_at_the_rate_of_its_day(self, tell, web_shop, buyer, steward):
        placed = LATELY.date()
        ExchangeRate.objects.create(currency="USD", valid_from=placed - timedelta(days=30), rate=Decimal(30))
        ExchangeRate.objects.create(currency="USD", valid_from=placed, rate=Decimal("36.5"))
        ExchangeRate.objects.create(currency="USD", valid_from=placed + timedelta(days=1), rate=Decimal(99))
        self.bought(tell, web_shop, "T", 1000, "THB")
        self.bought(tell, web_shop, "U1", 10, "USD", hours=0.1)
        self.bought(tell, web_shop, "U2", 10, "USD", hours=48)
        self.bought(tell, web_shop, "J", 5000, "JPY", hours=0.2)

        figures = overview._figures(buyer, scope_of(steward))

        assert figures.value == Decimal("1665.00")
        assert figures.by_currency == {"THB": Decimal(1000), "USD": Decimal(20), "JPY": Decimal(5000)}
        assert figures.unconverted == {"JPY": Decimal(5000)}
        assert figures.orders == 4

    def test_refunds_and_cancellations_change_the_totals(self, tell, web_shop, buyer, steward):
        self.bought(tell, web_shop, "A", 1000, "THB", hours=3)
        self.bought(tell, web_shop, "B", 700, "THB", hours=3.1)
        tell(web_shop, track("u9", "Order Refunded", hours=2, order_id="A", total=400, currency="THB"))
        tell(web_shop, track("u9", "Order Refunded", hours=1, order_id="A", total=5, currency="USD"))
        tell(web_shop, track("u9", "Order Cancelled", hours=2.5, order_id="B"))

        figures = overview._figures(buyer, scope_of(steward))

        assert (figures.value, figures.orders) == (Decimal("600.00"), 1)
        page = timeline.page(buyer, scope=scope_of(steward), filters=timeline.Filters(), after=None)
        card = next(item.card for item in page.entries if item.card and item.card.order.external_id == "A")
        assert [(refund.amount, refund.currency) for refund in card.foreign_refunds] == [(Decimal(5), "USD")]

    def test_the_page_says_what_lacks_a_rate(self, tell, web_shop, buyer, login, steward):
        self.bought(tell, web_shop, "J", 5000, "JPY")
        page = login(steward).get(reverse("profiles:customer", args=[buyer.public_id])).content.decode()
        assert "in JPY, no rate" in page
        ExchangeRate.objects.create(currency="JPY", valid_from=date(2026, 1, 1), rate=Decimal("0.24"))
        page = login(steward).get(reverse("profiles:customer", args=[buyer.public_id])).content.decode()
        assert "of it in JPY" in page
        assert "฿1,200.00" in page
