"""The story of the chair: a discount, a basket, an interruption, a reminder, a question about the size, an order, an
old address, a second call. It comes in by the doors that systems and people use, and each department sees its own part
of it, in order, as soon as it has come in."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from cdp_site.core.models import Department, Role, User
from ingestion import keys
from ingestion.models import Source
from profiles import digest
from profiles.models import Membership, Profile
from tests.factories import reports
from tests.factories.webhooks import Sender, sender

pytestmark = pytest.mark.django_db(transaction=True)

LogIn = Callable[[User], None]
EMAIL, PHONE, BORN = "suda@baansabai.co.th", "0863451972", "1990-04-01"
OLD = {"address1": "9 ถนนเก่า", "city": "บางรัก", "province": "กรุงเทพมหานคร", "zip": "10500", "country": "Thailand"}
NEW_STREET, NEW_POSTCODE = "77/7 ถนนใหม่", "10110"
CHAIR = {"sku": "CH-1", "name": "เก้าอี้ไม้โอ๊ค", "price": 3990, "category": "เฟอร์นิเจอร์"}
BEGAN = timezone.now() - timedelta(hours=50)


def at(hours: float) -> str:
    """`hours` after the story began."""
    return (BEGAN + timedelta(hours=hours)).isoformat()


class Shop:
    """The company's systems, each with the source and the key that it has in real life."""

    def __init__(self, page: Page, live_server: LiveServer) -> None:
        self.page = page
        self.address = live_server.url
        self.keys: dict[int, str] = {}

    def key(self, source: Source) -> str:
        if source.pk not in self.keys:
            self.keys[source.pk] = keys.make(source=source, by="system:test")[1]
        return self.keys[source.pk]

    def headers(self, source: Source) -> dict[str, str]:
        return {"Authorization": f"Basic {b64encode(f'{self.key(source)}:'.encode()).decode()}"}

    def send(self, source: Source, *messages: dict[str, Any]) -> None:
        """Over HTTP to the event API; the digest takes it in."""
        batch = [{"messageId": f"{source.slug}-{n}-{one['timestamp']}", **one} for n, one in enumerate(messages)]
        answer = self.page.request.post(f"{self.address}/v1/batch", data={"batch": batch}, headers=self.headers(source))
        assert answer.ok, answer.text()
        digest.drain()

    def ring(self, source: Source, number: str) -> str:
        """The telephone system says who calls; returns the page that the agent's screen opens."""
        answer = self.page.request.post(
            f"{self.address}/api/v1/calls", data={"number": number}, headers=self.headers(source)
        )
        assert answer.status == 201, answer.text()
        url: str = answer.json()["url"]
        return urlsplit(url).path


def mail(event: str, name: str, subject: str, hours: float, **properties: Any) -> dict[str, Any]:
    said = {"email_id": name, "email_subject": subject, **properties}
    return {
        "type": "track", "userId": "mail-7", "event": event, "timestamp": at(hours), "properties": said,
        "context": {"traits": {"email": EMAIL}},
    }  # fmt: skip


def order(webhook: Sender, hours: float) -> None:
    """The shop's system reports the order, which goes to the address that it has on file."""
    when = at(hours)
    customer = {
        "id": 77, "email": EMAIL, "first_name": "สุดา", "last_name": "รักไทย", "phone": PHONE,
        "default_address": {**OLD, "first_name": "สุดา", "last_name": "รักไทย"},
    }  # fmt: skip
    line = {
        "id": 1, "product_id": 1, "variant_id": 1, "sku": CHAIR["sku"], "title": CHAIR["name"], "variant_title": None,
        "quantity": 1, "price": "3990.00", "discount_allocations": [],
    }  # fmt: skip
    told = {
        **reports.ORDER, "id": 9001, "name": "#9001", "order_number": 9001, "email": EMAIL, "customer": customer,
        "created_at": when, "processed_at": when, "updated_at": when, "total_price": "3990.00",
        "subtotal_price": "3990.00", "total_discounts": "0.00", "discount_codes": [], "discount_applications": [],
        "line_items": [line], "billing_address": OLD, "shipping_address": OLD,
    }  # fmt: skip
    assert webhook.topic("orders/create", told).status_code == 200
    digest.drain()


@pytest.fixture
def newsletter(marketing: Department) -> Source:
    return Source.objects.create(slug="mail", name="Newsletter", kind=Source.Kind.OTHER, department=marketing)


@pytest.fixture
def driver(make_user: Callable[..., User]) -> User:
    """Somebody of the department that delivers: it sees what is common to all, and nothing of its own."""
    return make_user(Role.AGENT, Department.objects.create(slug="delivery", name="Delivery", name_th="จัดส่ง"), "driver")


@pytest.fixture
def shop(page: Page, live_server: LiveServer, care: Department, web_shop: Source, newsletter: Source) -> Shop:
    """Customer care is let see what marketing's systems know; marketing is not let see what callers say."""
    for source in (web_shop, newsletter):
        assign_perm("ingestion.view_source", care.group, source)
    return Shop(page, live_server)


def the_customer() -> Profile:
    """All that came is one person."""
    live = Membership.objects.filter(valid_to=None).values("profile")
    return Profile.objects.get(pk__in=live, golden__email=EMAIL)


def open_customer(page: Page, who: User, log_in: LogIn) -> Locator:
    """The timeline of the customer, as somebody sees it: rows, the newest first."""
    log_in(who)
    page.goto(reverse("profiles:customer", args=[the_customer().public_id]))
    rows = page.locator("#timeline .timeline-item")
    expect(rows.first).to_be_visible()
    return rows


def verify(page: Page, pop: str) -> None:
    """Her number is on the screen; the agent asks two things that only the customer knows."""
    page.goto(pop)
    page.locator("[name=birth_date]").fill(BORN)
    page.keyboard.press("Enter")
    expect(page.locator(".facts-right li")).to_have_count(1)
    page.locator("[name=postcode]").fill(OLD["zip"])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("สุดา")


def write_down(page: Page, text: str) -> None:
    expect(page.locator("#notes textarea")).to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("KeyN")
    page.keyboard.type(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note-list")).to_contain_text(text)


def test_each_department_sees_its_part_of_the_story_in_order(
    page: Page, shop: Shop, *, web_shop: Source, newsletter: Source, pos: Source, call_centre: Source, log_in: LogIn,
    agent: User, marketer: User, driver: User,
) -> None:  # fmt: skip
    orders = sender(pos, "shopify")

    # A discount by mail, a click, a chair in the basket, an interruption, a reminder that is opened.
    shop.send(
        newsletter,
        {"type": "identify", "userId": "mail-7", "timestamp": at(0), "traits": {"email": EMAIL, "birthday": BORN}},
        mail("Email Delivered", "sale", "ลด 30% ถึงวันอาทิตย์", 1),
        mail("Email Link Clicked", "sale", "ลด 30% ถึงวันอาทิตย์", 2),
    )
    visitor = {"anonymousId": "browser-1", "context": {"page": {"path": "/chairs"}}}
    shop.send(
        web_shop,
        {"type": "track", **visitor, "event": "Product Viewed", "timestamp": at(2.1), "properties": CHAIR},
        {"type": "track", **visitor, "event": "Product Added", "timestamp": at(2.2), "properties": CHAIR},
        {"type": "identify", "anonymousId": "browser-1", "userId": "web-7", "timestamp": at(2.3), "traits": {
            "email": EMAIL, "firstName": "สุดา", "lastName": "รักไทย", "phone": PHONE}},
    )  # fmt: skip
    shop.send(
        newsletter,
        mail("Email Delivered", "basket", "เก้าอี้ยังรอคุณอยู่", 26),
        mail("Email Opened", "basket", "เก้าอี้ยังรอคุณอยู่", 30),
    )

    # She calls: is it high enough? The agent sees at once what it is about, and writes down what was said.
    rows = open_customer(page, agent, log_in)
    expect(rows).to_contain_text(["เก้าอี้ยังรอคุณอยู่", "เก้าอี้ไม้โอ๊ค", "ลด 30% ถึงวันอาทิตย์"])
    write_down(page, "ถามความสูงของเก้าอี้ แจ้ง 45 ซม.")
    shop.send(call_centre, {
        "type": "track", "userId": "C-7", "event": "Call Ended", "timestamp": at(31),
        "context": {"traits": {"phone": PHONE}},
        "properties": {"reason": "ถามขนาด", "notes": "ลังเลเรื่องความสูง", "duration_seconds": 120},
    })  # fmt: skip

    # She buys; the thank-you mail names the address that the order goes to, an old one.
    order(orders, 32)
    shop.send(newsletter, mail("Email Delivered", "thanks", "ขอบคุณค่ะ ส่งไปที่ 9 ถนนเก่า", 32.2))

    # She calls again. Verified, she is asked nothing twice: the agent changes the address and writes what was offered.
    log_in(agent)
    verify(page, shop.ring(call_centre, PHONE))
    page.locator(".edit-open[data-trait=address]").click()
    page.locator("[name=trait-address]").fill(NEW_STREET)
    page.locator("[name=trait-postcode]").fill(NEW_POSTCODE)
    page.locator("[name=trait-postcode]").press("Enter")
    expect(page.locator("#toasts [data-toast]").first).to_be_visible()
    expect(page.locator("#part-about")).to_contain_text(NEW_STREET)
    write_down(page, "เสนอโคมไฟลดราคา ลูกค้าสนใจ")

    # Customer care sees all of it, in order.
    rows = open_customer(page, agent, log_in)
    whole = ["ขอบคุณค่ะ", "9001", "ลังเลเรื่องความสูง", "เก้าอี้ยังรอคุณอยู่", "เก้าอี้ไม้โอ๊ค", "ลด 30% ถึงวันอาทิตย์"]
    expect(rows).to_contain_text(whole)
    expect(page.locator("#timeline")).to_contain_text("แจ้ง 45 ซม.")
    expect(page.locator("#timeline")).to_contain_text("เสนอโคมไฟลดราคา")

    # Marketing sees what its mails and its shop did, and what came of it; not what the caller said.
    rows = open_customer(page, marketer, log_in)
    expect(rows).to_contain_text(["ขอบคุณค่ะ", "9001", "เก้าอี้ยังรอคุณอยู่", "เก้าอี้ไม้โอ๊ค", "ลด 30% ถึงวันอาทิตย์"])
    for secret in ("ลังเลเรื่องความสูง", "แจ้ง 45 ซม.", "เสนอโคมไฟลดราคา", "ถามขนาด"):
        expect(page.locator("main")).not_to_contain_text(secret)
    expect(rows.filter(has_text="Call centre")).to_have_count(0)

    # Delivery sees the order and the new address, and nothing else of her.
    rows = open_customer(page, driver, log_in)
    expect(rows).to_contain_text(["9001"])
    for secret in ("ลด 30%", "ยังรอคุณอยู่", "ลังเลเรื่องความสูง", "แจ้ง 45 ซม.", "ขอบคุณค่ะ"):
        expect(page.locator("main")).not_to_contain_text(secret)
    for source in ("Newsletter", "Web shop", "Call centre"):
        expect(rows.filter(has_text=source)).to_have_count(0)
    profile = the_customer()
    assert profile.golden["address"] == NEW_STREET
    assert profile.golden["postcode"] == NEW_POSTCODE
    expect(page.locator("#part-about")).not_to_contain_text("9 ถนนเก่า")
