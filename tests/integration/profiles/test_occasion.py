"""Why a customer probably calls: each rule, their order, and what the reader may not see."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from cdp_site.core.models import Department, User
from ingestion.models import Source
from profiles import occasion
from profiles.calling import lines
from profiles.models import Call, Case, EventType, Product, Profile
from profiles.notes import agent_record
from tests.customers import Tell, identify, profile_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Did = Callable[..., None]


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Yesterday's noon in the company's time zone: no test stands across midnight."""
    yesterday = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: yesterday)


@pytest.fixture
def pim(tell: Tell, pos: Source) -> Profile:
    tell(pos, identify("P9", firstName="พิมพ์ชนก", phone="0813945678"))
    return profile_of(pos, "P9")


@pytest.fixture
def did(tell: Tell, pos: Source, pim: Profile) -> Did:
    """Pim did something, so many days ago."""

    def tell_it(event: str, *, days: float = 0, source: Source | None = None, **properties: Any) -> None:
        at = timezone.now() - timedelta(days=days, seconds=1)
        tell(
            source or pos,
            {
                "type": "track",
                "messageId": f"{event}-{days}-{properties}",
                "userId": "P9",
                "event": event,
                "timestamp": at.isoformat(),
                "properties": properties,
            },
        )

    return tell_it


CHAIR = {"sku": "CH-1", "name": "เก้าอี้", "price": 3990, "currency": "THB"}


class TestTheSentence:
    def test_nothing_tells_nothing(self, pim: Profile, agent: User) -> None:
        assert occasion.of(pim, by=agent).clauses == []

    def test_a_basket_and_the_second_call_of_the_day(self, pim: Profile, did: Did, agent: User) -> None:
        did("Product Added", days=1, **CHAIR)
        for _time in range(2):
            lines.begin(number="0813945678", by=agent)
        with override("th"):
            assert occasion.of(pim, by=agent).text == "ตะกร้าค้าง เก้าอี้ 3,990 · โทรครั้งที่ 2 วันนี้"
        told = occasion.of(pim, by=agent)
        assert told.text == "basket: เก้าอี้ 3,990 · call no. 2 today"
        assert "no order since" in told.clauses[0].because

    def test_the_two_most_urgent_matters_make_it(self, pim: Profile, did: Did, agent: User) -> None:
        for n in range(3):
            did("Product Viewed", days=2 + n / 10, **CHAIR)
        did("Email Opened", days=1, subject="Chair week")
        did("Product Added", days=1, **CHAIR)
        did("Call Ended", days=2, reason="delivery", outcome="follow_up")
        found = occasion.of(pim, by=agent)
        assert found.text == "to be followed up, called 2 days ago: delivery · basket: เก้าอี้ 3,990"

    def test_every_part_says_why(self, pim: Profile, did: Did, agent: User, pos: Source) -> None:
        did("Call Ended", days=1, reason="ถามขนาด")
        (clause,) = occasion.of(pim, by=agent).clauses
        assert clause.text == "called yesterday: ถามขนาด"
        assert pos.name in clause.because

    def test_a_product_is_called_as_in_the_catalogue(self, pim: Profile, did: Did, agent: User, pos: Source) -> None:
        Product.objects.create(
            namespace=pos.slug, sku="CH-1", name="Oak chair", name_th="เก้าอี้ไม้โอ๊ค", version_at=timezone.now()
        )
        did("Product Added", days=1, **CHAIR)
        assert occasion.of(pim, by=agent).text == "basket: Oak chair 3,990"
        with override("th"):
            assert "เก้าอี้ไม้โอ๊ค" in occasion.of(pim, by=agent).text


class TestRules:
    @pytest.mark.parametrize(
        ("event", "days", "properties", "text"),
        [
            ("Message Received", 1, {"text": "ของยังไม่ถึง"}, "message of yesterday without an answer"),
            ("Message Received", 4, {"text": "ขอบคุณ"}, ""),
            ("Call Ended", 0, {}, "called today"),
            ("Call Ended", 10, {"outcome": "escalated", "reason": "complaint"},
             "to be followed up, called 10 days ago: complaint"),
            ("Call Ended", 10, {"outcome": "solved"}, "called 10 days ago"),
            ("Call Ended", 15, {"outcome": "escalated"}, ""),
            ("Survey Answered", 1, {"survey": "nps", "score": 4}, "gave only 4 in a survey yesterday"),
            ("Survey Answered", 1, {"survey": "nps", "score": 9}, ""),
            ("Survey Answered", 1, {"survey": "stars", "score": 4}, ""),
            ("Survey Answered", 1, {"survey": "stars", "score": 1}, "gave only 1 in a survey yesterday"),
            ("Survey Answered", 1, {"survey": "words", "score": "bad"}, ""),
            ("Email Link Clicked", 1, {"subject": "Chair week"}, "clicked in the mail “Chair week” yesterday"),
            ("Email Opened", 2, {"subject": "Chair week"}, "opened the mail “Chair week” 2 days ago"),
            ("Email Opened", 5, {"subject": "Chair week"}, ""),
            ("Product Added", 20, CHAIR, ""),
            ("Product Added", 1, {"name": "Lamp", "price": 20, "currency": "EUR"}, "basket: Lamp €20.00"),
            ("Order Completed", 1, {"order_id": "A1", "total": 4740, "currency": "THB"}, "ordered yesterday, 4,740"),
            ("Order Completed", 9, {"order_id": "A1", "total": 4740, "currency": "THB"}, "ordered 9 days ago, 4,740"),
            ("Order Completed", 15, {"order_id": "A1", "total": 4740, "currency": "THB"}, ""),
            ("Page Viewed", 0, {"name": "Home"}, ""),
        ],
    )  # fmt: skip
    def test_one_matter_alone(
        self, pim: Profile, did: Did, agent: User, event: str, days: float, properties: dict[str, Any], text: str
    ) -> None:
        did(event, days=days, **properties)
        assert occasion.of(pim, by=agent).text == text

    def test_an_answer_settles_a_message(self, pim: Profile, did: Did, agent: User) -> None:
        did("Message Received", days=2, text="?")
        did("Message Sent", days=1, text="!")
        assert occasion.of(pim, by=agent).text == ""

    def test_what_was_bought_or_taken_out_is_not_left_in_the_basket(self, pim: Profile, did: Did, agent: User) -> None:
        did("Product Added", days=3, **CHAIR)
        did("Order Completed", days=2.9, order_id="A1", total=3990, currency="THB")
        assert "basket" not in occasion.of(pim, by=agent).text
        did("Product Added", days=1, sku="L-1", name="Lamp")
        did("Product Added", days=0.9, sku="L-2", name="Rug")
        assert "basket: Rug and 1 more" in occasion.of(pim, by=agent).text
        did("Product Removed", days=0.8, sku="L-2", name="Rug")
        assert "basket: Lamp" in occasion.of(pim, by=agent).text

    def test_looking_three_times_at_one_product(self, pim: Profile, did: Did, agent: User) -> None:
        for n in range(2):
            did("Product Viewed", days=1 + n / 10, **CHAIR)
        assert occasion.of(pim, by=agent).text == ""
        did("Product Viewed", days=0.5, **CHAIR)
        assert occasion.of(pim, by=agent).text == "looked at เก้าอี้ 3 times in a week"

    def test_an_order_tells_of_its_parcel(
        self, pim: Profile, did: Did, agent: User, tell: Tell, marketing: Department
    ) -> None:
        shop = Source.objects.create(slug="shop", name="Shop", kind=Source.Kind.SHOP)
        order = {"order_id": "A1", "total": 990, "currency": "THB"}
        did("Order Completed", days=6, source=shop, **order)
        pim = profile_of(shop, "P9")
        assert occasion.of(pim, by=agent).text == "ordered 6 days ago, 990"
        did("Order Paid", days=5, source=shop, **order)
        assert occasion.of(pim, by=agent).text == "paid 5 days ago and not sent, 990"
        did("Order Fulfilled", days=2, source=shop, **order)
        assert occasion.of(pim, by=agent).text == "parcel on its way since 2 days ago, 990"
        did("Order Delivered", days=1, source=shop, **order)
        assert occasion.of(pim, by=agent).text == "order delivered yesterday, 990"
        did("Order Cancelled", days=0.1, source=shop, **order)
        assert occasion.of(pim, by=agent).text.startswith("order cancelled")

    def test_an_open_case_comes_first(self, pim: Profile, did: Did, agent: User) -> None:
        did("Message Received", days=1, text="?")
        Case.objects.create(
            record=agent_record(pim, by=agent), profile=pim, subject="New chair", department=agent.department
        )
        assert occasion.of(pim, by=agent).text == "open case: New chair · message of yesterday without an answer"

    def test_consent_that_was_withdrawn(self, pim: Profile, did: Did, agent: User) -> None:
        did("Consent Withdrawn", days=1, purpose="marketing", channel="email")
        assert occasion.of(pim, by=agent).text == "withdrew consent yesterday"


class TestCalls:
    def test_calls_that_others_tell_of_count_once(self, pim: Profile, did: Did, agent: User) -> None:
        did("Call Ended", days=0, reason="delivery")
        assert "call no." not in occasion.of(pim, by=agent).text
        lines.begin(number="0813945678", by=agent)
        assert occasion.of(pim, by=agent).text.endswith("call no. 2 today")
        lines.end(by=agent)  # the system's next report tells of this one as well
        did("Call Ended", days=0.0001, reason="delivery")
        assert occasion.of(pim, by=agent).text.endswith("call no. 2 today")

    def test_those_of_another_department_are_none_of_ours(
        self, pim: Profile, agent: User, steward: User, make_user: Callable[..., User], marketing: Department
    ) -> None:
        colleague = make_user("agent", marketing, "colleague")
        for user in (colleague, agent):
            lines.begin(number="0813945678", by=user)
        assert occasion.of(pim, by=agent).text == ""
        assert occasion.of(pim, by=steward).text == "call no. 2 today"

    def test_yesterdays_do_not_count(self, pim: Profile, agent: User) -> None:
        for _time in range(2):
            lines.begin(number="0813945678", by=agent)
        Call.objects.update(arrived_at=timezone.now() - timedelta(days=1, minutes=1))
        assert occasion.of(pim, by=agent).text == ""


class TestScope:
    def test_what_the_department_may_not_see_takes_no_part(
        self, pim: Profile, did: Did, agent: User, steward: User, web_shop: Source, marketing: Department, tell: Tell
    ) -> None:
        did("Survey Answered", days=1, survey="nps", score=1)
        EventType.objects.filter(name="Survey Answered").update(department=marketing)
        assert occasion.of(pim, by=agent).text == ""
        assert occasion.of(pim, by=steward).text == "gave only 1 in a survey yesterday"

    def test_the_page_shows_it_to_who_may_see_the_customer(
        self, login: Callable[[User], Client], pim: Profile, did: Did, agent: User, outsider: User, analyst: User
    ) -> None:
        did("Product Added", days=1, **CHAIR | {"name": "<b>chair</b>"})
        address = reverse("profiles:occasion", args=[pim.public_id])
        page = login(agent).get(address).content.decode()
        assert "basket: &lt;b&gt;chair&lt;/b&gt; 3,990" in page
        assert "no order since" in page
        assert {login(user).get(address).status_code for user in (outsider, analyst)} == {404}

    def test_it_costs_five_queries_beside_the_scope(
        self, pim: Profile, did: Did, agent: User, django_assert_max_num_queries: Any
    ) -> None:
        did("Product Added", days=1, **CHAIR)
        did("Order Completed", days=2, order_id="A1", total=3990, currency="THB")
        occasion.of(pim, by=agent)
        with django_assert_max_num_queries(6):
            occasion.of(pim, by=agent)
