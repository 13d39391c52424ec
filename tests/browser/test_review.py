"""The review of pairs by keyboard in a real browser: five decisions, the way back, an earlier one changed, a Thai
layout, a server that does not answer."""

import logging
import re
from collections.abc import Callable, Iterator
from statistics import median

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import MatchLabel, ReviewPair, SourceRecord
from tests.browser.conftest import Console, first_held, hold
from tests.factories.arrivals import arrive, row
from tests.factories.matching import activate

pytestmark = pytest.mark.django_db(transaction=True)

EVIDENCE = {"prior": -3.0, "fields": [["names", 4.0], ["birth_dates", -1.5], ["phones", 2.0]]}
log = logging.getLogger(__name__)
SHOWN = "[data-pair]:not([hidden])"
NAMES = {
    "สมชาย ใจดี": "Somchai Jaidee",
    "สุดา รักไทย": "Suda Rakthai",
    "ธนกร พงษ์ไพศาล": "Thanakorn P",
    "วันดี มีสุข": "Wandee Meesook",
    "มานี อดทน": "Manee Otton",
    "ปิติ ยิ้มแย้ม": "Piti Yimyam",
    "ชูใจ งามตา": "Chujai N",
}
# What a Thai keyboard types with the keys that are A, X and R on a Latin one.
THAI = {"KeyA": "ฟ", "KeyX": "ป", "KeyR": "พ"}

PRESS = """([code, key]) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { code, key, bubbles: true, cancelable: true }))"""
PRESS_AND_LAY_OUT = """(code) => {
    const pressed = performance.now();
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { code, bubbles: true, cancelable: true }));
    document.querySelector("[data-pair]:not([hidden])").getBoundingClientRect();
    return performance.now() - pressed;
}"""


@pytest.fixture
def pairs(pos: Source) -> list[ReviewPair]:
    """Seven pairs in the order in which they are asked about."""
    for number, (thai, other) in enumerate(NAMES.items()):
        arrive(
            pos,
            row(f"T{number}", name=thai, birth_date="1990-05-17", phone=f"086-345-19{number}2"),
            row(f"L{number}", name=other, birth_date="1990-05-11", city="Trang"),
        )
    made = []
    for number in range(len(NAMES)):
        a, b = SourceRecord.objects.filter(external_id__in=[f"T{number}", f"L{number}"]).order_by("pk")
        made.append(
            ReviewPair.objects.create(
                record_a=a, record_b=b, reason="band", score=0.8, worth=20 - number, evidence=EVIDENCE
            )
        )
    activate()
    return made


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User, pairs: list[ReviewPair]) -> Iterator[Page]:
    log_in(steward)
    page.goto(reverse("profiles:review"))
    yield page
    expect(page.locator("[data-sending]")).to_have_count(0)  # nothing is cut off


def expect_pair(page: Page, pair: ReviewPair) -> None:
    expect(page.locator(SHOWN)).to_have_attribute("data-pair", str(pair.pk))


def expect_said(page: Page, *verdicts: str) -> None:
    """What the server has taken, newest first."""
    expect(page.locator("[data-review]:not([data-sending])")).to_be_visible()
    expect(page.locator("#review-last .decisions > li")).to_have_count(len(verdicts))
    standing = MatchLabel.objects.filter(undone_at=None).order_by("-pk")
    assert [label.verdict for label in standing] == list(verdicts)


def test_five_pairs_by_keyboard_alone(at_work: Page, pairs: list[ReviewPair]) -> None:
    page = at_work
    for pair, key in zip(pairs, ["a", "x", "r", "Space", "f"], strict=False):
        expect_pair(page, pair)
        page.keyboard.press(key)
    expect_pair(page, pairs[5])
    expect(page.locator(f"{SHOWN} h2")).to_be_focused()
    expect_said(page, "unsure", "unsure", "related", "different", "same")
    page.keyboard.press("h")
    expect(page.locator("#guide")).to_be_visible()
    page.keyboard.press("a")  # belongs to the dialog, not to the pair behind it
    page.keyboard.press("Escape")
    expect_pair(page, pairs[5])


def test_undo_goes_back_one_by_one(at_work: Page, pairs: list[ReviewPair]) -> None:
    page = at_work
    page.keyboard.press("a")
    page.keyboard.press("x")
    expect_pair(page, pairs[2])
    page.keyboard.press("Backspace")
    expect_pair(page, pairs[1])
    page.keyboard.press("Backspace")
    expect_pair(page, pairs[0])
    expect_said(page)
    page.keyboard.press("r")
    expect_pair(page, pairs[1])
    expect_said(page, "related")
    page.reload()
    page.keyboard.press("Backspace")  # of an earlier visit: the pair has to be fetched
    expect_pair(page, pairs[0])
    expect_said(page)


def test_a_double_click_decides_one_pair(at_work: Page, pairs: list[ReviewPair]) -> None:
    page = at_work
    page.locator(f"{SHOWN} button[value=different]").dblclick()
    expect_pair(page, pairs[1])
    expect_said(page, "different")
    page.locator(f"{SHOWN} button[value=different]").click()
    expect_said(page, "different", "different")


def test_an_undo_of_nothing_says_so_and_leaves_the_pair(
    at_work: Page, pairs: list[ReviewPair], console: Console
) -> None:
    console.allow("status of 409")
    page = at_work
    page.keyboard.press("Backspace")
    expect(page.locator("#toasts")).to_contain_text("ไม่มีการตัดสินของคุณให้ย้อนกลับ")
    expect_pair(page, pairs[0])
    expect_said(page)


def test_an_earlier_decision_is_changed_in_the_list(at_work: Page, pairs: list[ReviewPair]) -> None:
    page = at_work
    page.keyboard.press("a")
    page.keyboard.press("x")
    expect_said(page, "different", "same")
    first = page.locator("#review-last .decisions > li").last
    first.locator("summary").click()
    first.locator("button[value=related]").click()
    expect(page.locator("#review-last .decisions > li").first).to_contain_text("เกี่ยวข้องกัน")
    expect_said(page, "related", "different")
    last = page.locator("#review-last .decisions > li").last
    last.locator("summary").click()
    last.locator("form").last.locator("button").click()
    expect_pair(page, pairs[1])
    expect_said(page, "related")


def test_keys_are_places_on_the_keyboard_not_letters(at_work: Page, pairs: list[ReviewPair]) -> None:
    """A Thai layout types other letters with the same keys."""
    page = at_work
    for pair, code in zip(pairs, ["KeyA", "KeyX", "KeyR"], strict=False):
        expect_pair(page, pair)
        page.evaluate(PRESS, [code, THAI[code]])
    expect_said(page, "related", "different", "same")


def test_typing_in_a_field_decides_nothing(at_work: Page, pairs: list[ReviewPair]) -> None:
    page = at_work
    page.locator("#search").press_sequentially("ax r")
    expect_pair(page, pairs[0])
    expect_said(page)


@pytest.mark.intercepts
def test_what_does_not_arrive_comes_back(at_work: Page, pairs: list[ReviewPair], console: Console) -> None:
    console.allow("net::ERR_FAILED")
    page = at_work
    address = re.compile(re.escape(reverse("profiles:review_decide", args=[pairs[0].pk])) + "$")

    def lose(route: Route) -> None:
        route.abort()

    page.route(address, lose)
    page.keyboard.press("a")
    expect(page.locator("[data-toast]")).to_contain_text("ไม่มีอะไรหาย")
    expect_pair(page, pairs[0])
    expect_said(page)
    page.unroute(address, lose)
    page.keyboard.press("a")
    expect_pair(page, pairs[1])
    expect_said(page, "same")


def test_what_a_colleague_has_settled_goes(at_work: Page, pairs: list[ReviewPair], console: Console) -> None:
    console.allow("status of 409")
    page = at_work
    ReviewPair.objects.filter(pk=pairs[0].pk).update(state="settled")
    page.keyboard.press("a")
    expect(page.locator("[data-toast]")).to_contain_text("คู่นี้มีคำตอบแล้ว")
    expect_pair(page, pairs[1])


def test_the_end_of_the_queue(at_work: Page, pairs: list[ReviewPair]) -> None:
    page = at_work
    for pair in pairs:
        expect_pair(page, pair)
        page.keyboard.press("x")
    expect(page.locator("[data-empty]")).to_be_visible()
    expect(page.locator("[data-busy]")).to_be_hidden()
    page.keyboard.press("Backspace")
    expect_pair(page, pairs[-1])
    expect(page.locator("[data-empty]")).to_be_hidden()


def test_whoever_stays_is_shown_what_would_change(at_work: Page) -> None:
    expect(at_work.locator(f"{SHOWN} [data-effects] .links")).to_be_visible()


@pytest.mark.intercepts
def test_what_would_change_is_asked_once_an_undo_has_arrived(at_work: Page, pairs: list[ReviewPair]) -> None:
    """On a slow line the pair is back long before the server knows of it: asked then, it would say it is settled."""
    page, pair = at_work, pairs[1]
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.keyboard.press("x")
    expect_pair(page, pair)
    expect_said(page, "different")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    decided = re.compile(r"/matching/review/pairs/\d+/$")
    page.route(decided, hold([]))
    with page.expect_request(decided):
        page.keyboard.press("a")
    page.keyboard.press("Backspace")
    expect_pair(page, pair)
    page.clock.run_for(1000)  # somebody stays with it
    effects = reverse("profiles:review_effects", args=[pair.pk])
    assert not [url for url in asked if url.endswith(effects)]
    page.unroute_all()
    page.clock.resume()
    expect(page.locator(f"{SHOWN} [data-effects] .links")).to_be_visible()
    expect_pair(page, pair)
    expect_said(page, "different")


@pytest.mark.intercepts
def test_the_next_pair_is_there_before_the_answer(at_work: Page, pairs: list[ReviewPair]) -> None:
    """No answer of the server is needed to go on."""
    page = at_work
    held: list[Route] = []
    decided = re.compile(r"/matching/review/pairs/\d+/$")
    page.route(decided, hold(held))
    with page.expect_request(decided):
        page.keyboard.press("a")
    page.keyboard.press("x")
    expect_pair(page, pairs[2])
    assert not MatchLabel.objects.exists()
    first_held(page, held)
    assert len(held) == 1  # the second one waits for the first
    page.unroute_all()
    expect_said(page, "different", "same")


def test_measures_how_soon_the_next_pair_is_there(at_work: Page, pairs: list[ReviewPair]) -> None:
    """From the key until the browser has laid the next pair out; a figure to read (pytest -rP), no bar."""
    taken = []
    for pair in pairs[:5]:
        expect_pair(at_work, pair)
        expect(at_work.locator("[data-review]:not([data-sending])")).to_be_visible()
        taken.append(at_work.evaluate(PRESS_AND_LAY_OUT, "KeyX"))
    expect_pair(at_work, pairs[5])
    log.info("next pair: median %.1f ms, most %.1f ms", median(taken), max(taken))


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(at_work: Page, assert_accessible: Callable[[Page], None]) -> None:
    page = at_work
    expect(page.locator(f"{SHOWN} [data-effects] .links")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("x")
    expect(page.locator("#review-last .decisions > li")).to_have_count(1)
    page.keyboard.press("h")
    assert_accessible(page)
    page.goto(reverse("profiles:review_many") + "?percent=50")
    page.locator(".sampled summary").first.click()
    assert_accessible(page)
