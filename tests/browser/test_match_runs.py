"""The steward starts a run of matching, cancels another, and reads what came of them, in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.matching import runs
from profiles.models import MatchRun
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import FakeMatcher, activate, make_model

pytestmark = pytest.mark.django_db(transaction=True)

SUDA: dict[str, Any] = {"first_name": "สุดา", "last_name": "รักดี"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User) -> Page:
    log_in(steward)
    return page


@pytest.fixture
def twins(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **SUDA))
    arrive(pos, row("p1", **SUDA, **BORN))


def finish() -> MatchRun:
    """What the job cluster would do."""
    run = MatchRun.objects.get(status="running")
    runs.run(str(run.pk))
    run.refresh_from_db()
    return run


def test_from_the_button_to_whom_it_joined(at_work: Page, twins: None) -> None:
    page = at_work
    activate()
    page.goto(reverse("profiles:match_runs"))
    page.locator(".btn-primary").click()
    expect(page.locator("#run progress")).to_be_visible()
    run = finish()
    # The page notices by itself.
    expect(page.locator("#run progress")).to_have_count(0)
    page.locator(f"a[href='{reverse('profiles:match_changes', args=[run.pk, 'link'])}']").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody tr a").first.click()
    expect(page.locator("h1")).to_contain_text("สุดา")


def test_a_run_is_cancelled_after_a_question(at_work: Page, twins: None) -> None:
    page = at_work
    activate()
    run = runs.start(by="system:test", in_job=False)
    page.goto(reverse("profiles:match_run", args=[run.pk]))
    page.locator("[data-dialog=cancel-run]").click()
    page.locator("#cancel-run .btn-danger").click()
    page.wait_for_url(f"**{reverse('profiles:match_run', args=[run.pk])}")
    assert finish().status == "cancelled"
    expect(page.locator("#run progress")).to_have_count(0)


def test_a_trial_says_what_would_follow(at_work: Page, twins: None) -> None:
    page = at_work
    make_model(FakeMatcher())
    page.goto(reverse("profiles:match_runs"))
    page.locator("#trial-of").locator("xpath=following-sibling::button").click()
    expect(page.locator("#run progress")).to_be_visible()
    finish()
    expect(page.locator("#foreseen-title")).to_be_visible()


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    at_work: Page, twins: None, assert_accessible: Callable[[Page], None]
) -> None:
    page = at_work
    page.goto(reverse("profiles:match_runs"))
    assert_accessible(page)
    make_model(FakeMatcher())
    activate()
    runs.start(by="system:test", trial_of=runs.tryable()[0], in_job=False)
    trial = finish()
    page.goto(reverse("profiles:match_run", args=[trial.pk]))
    expect(page.locator("#foreseen-title")).to_be_visible()
    assert_accessible(page)
    runs.start(by="system:test", in_job=False)
    run = finish()
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (
        reverse("profiles:match_runs"),
        reverse("profiles:match_run", args=[run.pk]),
        reverse("profiles:match_changes", args=[run.pk, "link"]),
        reverse("profiles:match_changes", args=[run.pk, "review"]),
    ):
        page.goto(address)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
