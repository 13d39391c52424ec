"""The steward in a real browser: pins a plan, mends what it held back by a rule, sees it on the profile, undoes it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion.corrections import replaying, undoing
from ingestion.models import CorrectionRule, PlanSchema, QuarantinedItem, Replay, Source
from ingestion.plan import pinning
from profiles import digest
from profiles.models import SourceRecord
from tests.browser.conftest import Console
from tests.factories.arrivals import arrive, identify, track

pytestmark = pytest.mark.django_db(transaction=True)
EVENT = "Product Viewed"
PRICED = {"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}, "name": {}}}
NARROW = {"width": 390, "height": 844}


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User) -> Page:
    log_in(steward)
    return page


def viewed(**properties: Any) -> dict[str, Any]:
    return track(EVENT, "u1", name="รองเท้าวิ่ง", **properties)


def customer(source: Source) -> str:
    record = SourceRecord.objects.get(source=source, external_id="u1")
    return reverse("profiles:customer", args=[record.memberships.get(valid_to=None).profile.public_id])


def plan_page(name: str) -> str:
    return f"{reverse(f'ingestion:{name}')}?event={EVENT}"


def test_pins_an_event_from_its_traffic(at_work: Page, web_shop: Source) -> None:
    arrive(web_shop, viewed(price=1290), viewed(price=990), viewed(price="dear"))
    page = at_work
    page.goto(reverse("ingestion:plan"))
    page.locator("tbody th a").click()
    page.locator("a.btn-primary").click()
    page.locator("tr", has=page.locator("input[value=price]")).locator("select").select_option("number")
    page.locator("button[value=try]").click()
    expect(page.locator("#plan [role=status]")).to_contain_text("1")
    expect(page.locator("#plan table").last).to_contain_text("properties.price")
    page.locator("button[value=pin]").click()
    expect(page.locator(".badge-ok").first).to_be_visible()
    assert PlanSchema.objects.get().schema["properties"]["price"] == {"type": "number"}
    assert arrive(web_shop, viewed(price="dear"), viewed(price=5)) == {"quarantined": 1, "stored": 1}


def test_mends_by_a_rule_replays_and_undoes(at_work: Page, web_shop: Source) -> None:
    arrive(web_shop, identify("u1", first_name="สมหญิง", last_name="ใจดี"))
    pinning.pin(event=EVENT, definition=PRICED, by="system:test")
    arrive(web_shop, viewed(cost="1,290 บาท"), viewed(cost="990 บาท"))
    page = at_work
    page.goto(customer(web_shop))
    expect(page.locator("#timeline")).not_to_contain_text("รองเท้าวิ่ง")

    page.goto(reverse("ingestion:quarantine"))
    page.locator(".held-groups a").click()
    page.locator("a.btn-primary").click()
    page.locator("[name=field-0]").fill("properties.cost")
    page.locator("[name=to-0]").fill("properties.price")
    page.locator("button[value=add]").click()
    page.locator("[name=do-1]").select_option("cast")
    expect(page.locator("[name=kind-1]")).to_be_visible()
    expect(page.locator("[name=field-0]")).to_have_value("properties.cost")
    page.locator("[name=field-1]").fill("properties.price")
    page.locator("button[value=try]").click()
    expect(page.locator("#rule [role=status]")).to_contain_text("2")
    expect(page.locator(".before-after").first).to_contain_text('"price": 990')
    assert not CorrectionRule.objects.exists()

    page.locator("[name=name]").fill("ราคาอยู่ใน cost")
    page.locator("button[value=replay]").click()
    expect(page.locator("#replays progress")).to_be_visible()
    replaying.carry_on(Replay.objects.get().pk)
    digest.drain()
    expect(page.locator("#replays [data-dialog]")).to_be_visible()
    page.goto(customer(web_shop))
    expect(page.locator("#timeline")).to_contain_text("รองเท้าวิ่ง")

    page.goto(reverse("ingestion:quarantine"))
    page.locator("#replays [data-dialog]").click()
    page.locator("dialog[open] .btn-primary").click()
    undoing.carry_on(Replay.objects.get().pk)
    expect(page.locator("#replays .badge")).to_be_visible()
    assert QuarantinedItem.objects.open().count() == 2
    page.goto(customer(web_shop))
    expect(page.locator("#timeline")).not_to_contain_text("รองเท้าวิ่ง")
    assert arrive(web_shop, viewed(cost="5 บาท")) == {"stored": 1}  # the rule stays


def test_an_incomplete_rule_says_what_it_lacks(at_work: Page, web_shop: Source, console: Console) -> None:
    console.allow("status of 422")
    pinning.pin(event=EVENT, definition=PRICED, by="system:test")
    arrive(web_shop, viewed())
    page = at_work
    page.goto(reverse("ingestion:new_rule", args=[web_shop.pk, "plan"]))
    page.locator("[name=field-0]").fill("messageId")
    page.locator("button[value=try]").click()
    expect(page.locator("#problem-0")).to_be_visible()
    page.locator("button[value=save]").click()
    expect(page.locator("[role=alert]")).to_be_visible()
    assert not CorrectionRule.objects.exists()


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    at_work: Page, web_shop: Source, assert_accessible: Callable[[Page], None]
) -> None:
    arrive(web_shop, viewed(price=1290, tags=["a"]), viewed(price="dear"))
    pinning.pin(event=EVENT, definition={"type": "object"}, by="system:test")
    pinning.pin(event=EVENT, definition=PRICED, by="system:test")
    arrive(web_shop, viewed(cost="1,290 บาท"), viewed(cost="990 บาท"))
    page = at_work
    for address in (
        reverse("ingestion:plan"),
        plan_page("plan_event"),
        plan_page("plan_pin"),
        f"{plan_page('plan_diff')}&from=1&to=2",
        reverse("ingestion:quarantine"),
        reverse("ingestion:quarantine_group", args=[web_shop.pk, "plan"]),
        reverse("ingestion:rules"),
    ):
        page.goto(address)
        assert_accessible(page)
        assert_fits(page)
    page.goto(plan_page("plan_pin"))
    page.locator("details.guide summary").click()
    page.locator("button[value=try]").click()
    expect(page.locator("#plan [role=status]")).to_be_visible()
    assert_accessible(page)
    page.goto(reverse("ingestion:new_rule", args=[web_shop.pk, "plan"]))
    page.locator("[name=field-0]").fill("properties.cost")
    page.locator("[name=to-0]").fill("properties.price")
    for number, (verb, shown) in enumerate((("cast", "kind"), ("map", "values"), ("default", "value")), 1):
        page.locator("button[value=add]").click()
        page.locator(f"[name=field-{number}]").fill("properties.cost")
        page.locator(f"[name=do-{number}]").select_option(verb)
        expect(page.locator(f"[name={shown}-{number}]")).to_be_visible()
    page.locator("[name=values-2]").fill("a = b")
    page.locator("[name=value-3]").fill("5")
    page.locator("button[value=try]").click()
    expect(page.locator(".before-after").first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.locator("[name=name]").fill("กฎ")
    page.locator("button[value=save]").click()
    expect(page.locator(".sentences")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


# In the second frame after the change of width everything has its new place.
WIDER = """() => new Promise(answer => requestAnimationFrame(() => requestAnimationFrame(() => {
  const page = document.documentElement;
  const sticksOut = one => one.getBoundingClientRect().right > page.clientWidth + 1 && !one.closest(".table-scroll");
  const wide = [...document.querySelectorAll("body *")].filter(sticksOut).map(one => one.outerHTML.slice(0, 90));
  answer(page.scrollWidth > page.clientWidth ? [page.scrollWidth, ...wide.slice(0, 5)] : []);
})))"""


def assert_fits(page: Page) -> None:
    """Nothing but tables in their frames is wider than a phone."""
    wide = page.viewport_size
    page.set_viewport_size(NARROW)
    assert page.evaluate(WIDER) == []
    page.set_viewport_size(wide)
