"""The page that says why somebody is in a segment: a mark, evidence and a time for each kind of condition."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import Product, Profile
from segments import explain
from segments.lists import keeping
from segments.lists.finding import find
from segments.lists.reading import pasted
from segments.models import Segment
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.computed import Make as MakeTrait
from tests.integration.segments.computed import asks, definition, fresh_samples, group, make_trait, pick
from tests.integration.segments.conftest import Login, viewed_red

__all__ = ["fresh_samples", "group", "make_trait"]

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
EVER = {"kind": "ever"}
LINE = {"sku": "CH-1", "name": "Oak chair", "price": 300, "quantity": 2}
CHAIR, TABLE = "Oak chair · red 1 Nov 2026 02:00", "Oak table · blue 31 Oct 2026 16:00"
SEVEN_DAYS, THIRTY_DAYS = "8 Nov 2026 02:00", "1 Dec 2026 03:00"
RED = "viewed a product (colour is “red”)"
CONSENT = {"kind": "consent", "purpose": "marketing", "channel": "email"}
ORDERED = {"kind": "order_total", "operator": "at_least", "currency": "THB", "window": EVER}
PRICE = {"kind": "measure", "event": "Product Viewed", "measure": "sum", "property": "price", "window": EVER}
BOUGHT_IT: dict[str, Any] = {
    "kind": "sequence",
    "first": {"event": "Product Viewed"},
    "then": {"event": "Order Completed"},
    "within": {"n": 2, "unit": "days"},
    "window": EVER,
}


def rolling(days: int) -> dict[str, Any]:
    return {"kind": "rolling", "n": days, "unit": "days"}


@dataclass(frozen=True)
class Shown:
    """A part as it is read: mark and icon, what it says, when it turns, what it rests on."""

    mark: str
    text: str
    turns: str
    facts: list[str]


PageOf = Callable[..., list[Shown]]

_PART = re.compile(
    r'<li class="is-(?P<class>\w+)">\s*<svg class="icon " role="img" aria-label="(?P<label>[^"]+)"[^>]*>'
    r'<use href="[^"#]*#(?P<icon>[\w-]+)"></use></svg>\s*<div><p class="m-0">(?P<said>.*?)</p>\s*'
    r'(?P<facts><ul class="evidence-facts">.*?</ul>)?',
    re.DOTALL,
)
_MARKS = {("yes", "holds", "check"): "✓", ("no", "does not hold", "x"): "✗"}


def words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def shown(page: str) -> list[Shown]:
    """The parts of an explanation in their order, the outermost group first."""
    parts = []
    for found in _PART.finditer(page):
        said, _, turns = found["said"].partition('<span class="turns">')
        facts = re.findall(r"<li>(.*?)</li>", found["facts"] or "", re.DOTALL)
        mark = _MARKS[found["class"], found["label"], found["icon"]]
        parts.append(Shown(mark, words(said), words(turns), [words(fact) for fact in facts]))
    return parts


@pytest.fixture(autouse=True)
def two_days_later() -> Iterator[None]:
    with time_machine.travel(LATELY + timedelta(days=2)):
        yield


@pytest.fixture
def buyer(tell: Tell, web_shop: Source) -> Profile:
    """Viewed two things and bought one of them; refused to be mailed."""
    tell(
        web_shop,
        identify("b1", firstName="มานี", lastName="มีนา", email="b1@baansabai.co.th", province="ตรัง"),
        track("b1", "Product Viewed", hours=20, name="Oak table", color="blue", price=50),
        track("b1", "Product Viewed", hours=10, name="Oak chair", color="red", price=300),
        track("b1", "Order Completed", hours=9, order_id="O-1", total=600, currency="THB", products=[LINE]),
        track("b1", "Consent Refused", hours=8, purpose="marketing", channel="email"),
    )
    return profile_of(web_shop, "b1")


@pytest.fixture
def page_of(login: Login, marketer: User, make_segment: Make) -> PageOf:
    """What is read of a customer and a segment of these conditions."""
    client: Client = login(marketer)

    def read(profile: Profile, *conditions: dict[str, Any]) -> list[Shown]:
        segment = make_segment(*conditions, name=f"Asked {Segment.objects.count()}")
        path = reverse("segments:explain", args=[profile.public_id, segment.pk])
        return shown(client.get(path).content.decode())

    return read


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(
            {**viewed_red(), "window": rolling(7)},
            Shown("✓", f"Who {RED} in the last 7 days", f"until {SEVEN_DAYS}", ["Product Viewed: once", CHAIR]),
            id="touchpoint",
        ),
        pytest.param(
            {**viewed_red(), "window": rolling(7), "count": {"bound": "exactly", "n": 0}},
            Shown(
                "✗",
                "Who did not view a product (colour is “red”) in the last 7 days",
                f"from {SEVEN_DAYS}",
                ["Product Viewed: once", CHAIR],
            ),
            id="no touchpoint",
        ),
        pytest.param(
            {**PRICE, "operator": "at_least", "value": 350, "window": rolling(7)},
            Shown(
                "✓",
                "Whose total price, over the times they viewed a product in the last 7 days, is at least 350",
                "until 7 Nov 2026 16:00",
                ["total price: 350", CHAIR, TABLE],
            ),
            id="measure",
        ),
        pytest.param(
            {**PRICE, "measure": "most_frequent", "property": "color", "operator": "is", "value": "green"},
            Shown(
                "✗",
                "Whose most frequent colour, over the times they viewed a product, is “green”",
                "",
                ["most frequent colour: red", CHAIR, TABLE],
            ),
            id="measure that does not hold",
        ),
        pytest.param(
            {**BOUGHT_IT, "window": rolling(7)},
            Shown(
                "✓",
                "Who viewed a product and within 2 days completed an order in the last 7 days",
                f"until {SEVEN_DAYS}",
                ["Product Viewed: Oak chair · red 1 Nov 2026 02:00", "Order Completed 1 Nov 2026 03:00"],
            ),
            id="sequence",
        ),
        pytest.param(
            {**BOUGHT_IT, "first": BOUGHT_IT["then"], "then": BOUGHT_IT["first"]},
            Shown(
                "✗",
                "Who completed an order and within 2 days viewed a product",
                "",
                ["Order Completed: once, and nothing came of it 1 Nov 2026 03:00"],
            ),
            id="sequence that does not hold",
        ),
        pytest.param(
            {**ORDERED, "measure": "sum", "value": 500, "window": rolling(30)},
            Shown(
                "✓",
                "Whose orders come to at least 500 THB in the last 30 days",
                f"until {THIRTY_DAYS}",
                ["total of orders: ฿600.00"],
            ),
            id="order total",
        ),
        pytest.param(
            {**ORDERED, "measure": "count", "value": 2},
            Shown("✗", "Whose number of orders in THB is at least 2", "", ["number of orders: 1"]),
            id="order total that does not hold",
        ),
        pytest.param(
            {"kind": "order_line", "measure": "quantity", "operator": "at_least", "value": 2, "window": rolling(30)},
            Shown(
                "✓",
                "Who bought at least 2 pieces in the last 30 days",
                f"until {THIRTY_DAYS}",
                ["number of pieces: 2", "Oak chair × 2 1 Nov 2026 03:00"],
            ),
            id="order line",
        ),
        pytest.param(
            {**ORDERED, "kind": "order_line", "measure": "spent", "value": 700},
            Shown(
                "✗",
                "Who spent at least 700 THB on products",
                "",
                ["money spent: ฿600.00", "Oak chair × 2 1 Nov 2026 03:00"],
            ),
            id="order line that does not hold",
        ),
        pytest.param(
            {**CONSENT, "state": "refused"},
            Shown("✓", "Who refused “Marketing” by e-mail", "", ["refused"]),
            id="consent",
        ),
        pytest.param(
            {**CONSENT, "state": "granted"},
            Shown("✗", "Who agreed to “Marketing” by e-mail", "", ["refused"]),
            id="consent that does not hold",
        ),
    ],
)
def test_each_kind_of_condition_shows_its_mark_its_evidence_and_its_time(
    condition: dict[str, Any], expected: Shown, buyer: Profile, page_of: PageOf
) -> None:
    group, part = page_of(buyer, condition)

    assert part == expected
    assert (group.mark, group.turns) == (part.mark, part.turns)


def test_what_the_catalogue_says_of_a_product_stands_behind_what_the_touchpoint_says(
    buyer: Profile, page_of: PageOf, tell: Tell, web_shop: Source
) -> None:
    said = {"brand": "Siam", "color": "green"}
    Product.objects.create(namespace="web", sku="L-1", name="Lamp", attributes=said, version_at=LATELY)
    tell(web_shop, track("b1", "Product Viewed", hours=1, sku="L-1"))
    tell(web_shop, track("b1", "Return Requested", hours=2, sku="L-1", reason="damaged"))
    brand = {"property": "brand", "operator": "is", "value": "Siam"}

    viewed, returned = (
        page_of(buyer, {**viewed_red(), "event": event, "window": EVER, "filters": [brand]})[-1]
        for event in ("Product Viewed", "Return Requested")
    )

    assert viewed.facts == ["Product Viewed: once", "Lamp · green 1 Nov 2026 11:00"]
    assert (returned.mark, returned.facts[1][:7]) == ("✓", "damaged")


def test_a_list_shows_whether_the_customer_is_on_it(buyer: Profile, page_of: PageOf, marketer: User) -> None:
    found = find(pasted("b1@baansabai.co.th").ids, kind="email", source=None, by=marketer)
    guests = keeping.create(name="Guests", department=marketer.department, found=found, by=marketer)
    on = {"kind": "list", "list": str(guests.pk)}

    _group, is_on, is_not_on = page_of(buyer, {**on, "is_in": True}, {**on, "is_in": False})

    assert is_on == Shown("✓", "Who are on the list “Guests”", "", ["The customer is on it"])
    assert is_not_on == Shown("✗", "Who are not on the list “Guests”", "", ["The customer is on it"])


def test_a_computed_trait_shows_its_value_and_the_time_at_which_it_turns(
    buyer: Profile, page_of: PageOf, make_trait: MakeTrait
) -> None:
    make_trait("Views", definition("count", "", pick(window=rolling(7))))

    _group, few, many = page_of(buyer, asks("computed.views", "at_least", 2), asks("computed.views", "at_least", 3))

    assert few == Shown("✓", "Whose views is at least 2", "until 7 Nov 2026 16:00", ["Views: 2"])
    assert many == Shown("✗", "Whose views is at least 3", "", ["Views: 2"])


def test_a_computed_trait_of_what_a_department_sees_is_asked_alike_on_every_page(
    buyer: Profile, make_trait: MakeTrait, make_segment: Make, marketer: User, web_shop: Source, tell: Tell
) -> None:
    """Where the stored value is of more than the reader sees, it is computed for them."""
    tell(web_shop, identify("b2", firstName="ปิติ"))
    other = profile_of(web_shop, "b2")
    make_trait("Views", definition("count", "", pick(sources=[web_shop.slug])))
    segment = make_segment(asks("computed.views", "at_least", 2))

    for profile, is_in in ((buyer, True), (other, False)):
        assert (profile.pk in explain.members_among(segment, [profile], by=marketer)) is is_in
        assert explain.why(profile, segment, by=marketer).is_in is is_in
        assert [one.is_in for one in explain.of_all(profile, [segment], by=marketer)] == [is_in]


class TestAnonymousVisitor:
    @pytest.fixture
    def visitor(self, buyer: Profile, tell: Tell, web_shop: Source) -> Profile:
        """A device on which something red was viewed, and nobody known."""
        seen = track("", "Product Viewed", hours=10, name="Oak chair", color="red")
        del seen["userId"]
        tell(web_shop, seen | {"messageId": "seen", "anonymousId": "device-1"})
        found: Profile = Profile.objects.get(kind=Profile.Kind.ANONYMOUS)
        return found

    def test_reads_what_holds_and_is_in_no_segment(
        self, visitor: Profile, make_segment: Make, login: Login, marketer: User
    ) -> None:
        segment = make_segment({**viewed_red(), "window": rolling(7)})

        told = explain.why(visitor, segment, by=marketer)
        page = login(marketer).get(reverse("segments:explain", args=[visitor.public_id, segment.pk])).content.decode()

        assert (told.is_known, told.is_in, told.since) == (False, False, None)
        assert explain.members_among(segment, [visitor], by=marketer) == set()
        assert [one.is_in for one in explain.of_all(visitor, [segment], by=marketer)] == [False]
        assert "not in the segment" in page
        assert "Visitors whom nobody knows are in no segment." in page
        assert "Without anything new" not in page
        red = shown(page)[1]
        assert (red.mark, red.turns, red.facts) == ("✓", f"until {SEVEN_DAYS}", ["Product Viewed: once", CHAIR])
