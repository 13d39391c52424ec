"""How records became one, verifying, the household and the question for the call, in a real browser."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import merging
from profiles.matching import verified
from profiles.models import MatchLabel, Profile, ReviewPair, SourceRecord, VerifiedRecord
from profiles.resolution import decision_log
from profiles.resolution.decision_log import NewDecision
from tests.customers import Tell, identify, profile_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wife(tell: Tell, pos: Source, somchai: Profile) -> Profile:
    tell(pos, identify("P7", firstName="สุดา", lastName="ใจดี", phone="0863451972"))
    return profile_of(pos, "P7")


@pytest.fixture
def pair(tell: Tell, call_centre: Source, somchai: Profile) -> ReviewPair:
    """A question for the call, with what the model weighed."""
    tell(call_centre, identify("C2", firstName="ชาย", lastName="ใจดี", phone="0812344567"))
    other = SourceRecord.objects.get(external_id="C2").pk
    evidence = {"model": 3, "prior": -3.0, "fields": [["given", -1.2], ["family", 3.5]]}
    return ReviewPair.objects.create(
        record_a=somchai.birth_record, record_b_id=other, reason="band", score=0.7, evidence=evidence, asks_at_call=True
    )


def test_a_steward_reads_the_story_verifies_and_takes_it_back(
    page: Page, log_in: Callable[[User], None], steward: User, somchai: Profile, wife: Profile
) -> None:
    log_in(steward)
    page.goto(reverse("profiles:customer", args=[somchai.public_id]))
    expect(page.locator("#panel-household-body")).to_contain_text("สุดา ใจดี")
    page.locator(".card-link a").click()
    expect(page.locator(".story > li")).to_have_count(3)
    expect(page.locator(".explanation")).to_contain_text("086 345 1972")
    page.locator("#verified input[name=reason]").fill("พบตัวแล้ว")
    page.locator("#verified input[name=reason]").press("Enter")
    expect(page.locator("#verified")).to_contain_text("พบตัวแล้ว")
    assert VerifiedRecord.objects.count() == 3
    page.goto(reverse("profiles:customer", args=[somchai.public_id]))
    expect(page.locator(".badge-ok", has_text="ตรวจสอบแล้ว")).to_be_visible()
    page.goto(reverse("profiles:explanation", args=[somchai.public_id]))
    page.locator("#verified form button").click()
    expect(page.locator("[data-toast]")).to_be_visible()
    assert not VerifiedRecord.objects.exists()


def test_an_agent_asks_and_takes_the_answer_back(
    page: Page, log_in: Callable[[User], None], agent: User, somchai: Profile, pair: ReviewPair
) -> None:
    log_in(agent)
    page.goto(reverse("profiles:customer", args=[somchai.public_id]))
    expect(page.locator("#question")).to_contain_text("4567")
    page.locator("#question button[value=different]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_have_count(0)
    assert MatchLabel.objects.get().verdict == "different"
    page.locator("[data-toast] form button").click()
    expect(page).to_have_url(re.compile(re.escape(reverse("profiles:customer", args=[somchai.public_id]))))
    expect(page.locator("#question")).to_be_visible()
    pair.refresh_from_db()
    assert pair.asks_at_call


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    page: Page,
    log_in: Callable[[User], None],
    steward: User,
    somchai: Profile,
    wife: Profile,
    pair: ReviewPair,
    manee: Profile,
    assert_accessible: Callable[[Page], None],
) -> None:
    merging.merge(profiles=[somchai, manee], by=steward, reason="the same")
    decision_log.append(
        [NewDecision("link", "model", somchai.birth_record.pk, pair.record_b_id, evidence=pair.evidence, score=0.97)],
        actor="system:matching",
    )
    verified.verify(profile=somchai, by=steward)
    log_in(steward)
    page.goto(reverse("profiles:customer", args=[somchai.public_id]))
    expect(page.locator("#question")).to_be_visible()
    expect(page.locator("#panel-household-body a")).to_be_visible()
    assert_accessible(page)
    page.goto(reverse("profiles:explanation", args=[somchai.public_id]))
    page.locator("details.more > summary").first.click()
    expect(page.locator(".weighing").first).to_be_visible()
    assert_accessible(page)
