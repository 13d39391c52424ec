"""The steward trains a model, tries it, takes it into use and rolls it back, in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.matching import pools, rollback, runs, training
from profiles.models import MatchModel, MatchRun, Profile
from tests.customers import Tell
from tests.factories.doubles import Doubles, answer_all, tell_of_doubles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Settings) -> None:
    settings.CDP_DATA = tmp_path / "data"


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User) -> Page:
    log_in(steward)
    return page


@pytest.fixture
def doubles(tell: Tell, web_shop: Source, pos: Source) -> Doubles:
    return tell_of_doubles(tell, web_shop, pos, people=60)


def test_from_the_first_question_to_a_rollback(at_work: Page, doubles: Doubles, steward: User) -> None:
    page = at_work
    people = Profile.objects.people().count()
    page.goto(reverse("profiles:match_models"))
    page.locator(f"form[action='{reverse('profiles:match_ask')}'] button").click()
    expect(page.locator("#models [role=status]")).to_be_visible()
    pools.ask()
    expect(page.locator("#models [role=status]")).to_have_count(0)
    answer_all(steward, doubles)

    page.locator(f"form[action='{reverse('profiles:match_train')}'] button").click()
    expect(page.locator("#model progress")).to_be_visible()
    model = MatchModel.objects.get()
    training.run(model.pk)
    expect(page.locator("#model .score-chart")).to_be_visible()
    page.locator("#model .as-table summary").click()
    expect(page.locator("#model .as-table tbody tr")).to_have_count(20)

    page.locator("#id_attach").fill("85")
    page.locator("#id_review").fill("20")
    page.locator(".thresholds .btn").click()
    page.locator("button[name=trial_of]").click()
    runs.run(str(MatchRun.objects.get().pk))
    page.goto(reverse("profiles:match_model", args=[model.version]))
    # Forty labels are few: it takes a reason.
    page.locator("#id_reason").fill("ร้านเล็ก")
    page.locator(f"form[action='{reverse('profiles:match_activate', args=[model.version])}'] button").click()
    expect(page.locator("#model .badge-ok")).to_be_visible()
    runs.run(str(MatchRun.objects.get(kind=MatchRun.Kind.BATCH).pk))
    assert Profile.objects.people().count() < people

    page.locator(f"a[href='{reverse('profiles:match_rollback', args=[model.version])}']").click()
    page.locator(".btn-danger").click()
    expect(page.locator("#run progress")).to_be_visible()
    rollback.run(str(MatchRun.objects.get(kind=MatchRun.Kind.ROLLBACK).pk))
    expect(page.locator("#run progress")).to_have_count(0)
    assert Profile.objects.people().count() == people


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    at_work: Page, doubles: Doubles, steward: User, assert_accessible: Callable[[Page], None]
) -> None:
    page = at_work
    page.goto(reverse("profiles:match_models"))
    assert_accessible(page)
    pools.ask()
    answer_all(steward, doubles)
    model = training.train_now(by="system:test")
    runs.run(str(runs.start(by=steward, trial_of=model).pk))
    page.goto(reverse("profiles:match_model", args=[model.version]))
    page.locator("#model .as-table summary").click()
    assert_accessible(page)
    page.goto(reverse("profiles:match_models"))
    assert_accessible(page)
    MatchModel.objects.update(status=MatchModel.Status.ACTIVE)
    page.goto(reverse("profiles:match_rollback", args=[model.version]))
    assert_accessible(page)
    training.start(by=steward)
    page.goto(reverse("profiles:match_model", args=[model.version + 1]))
    expect(page.locator("#model progress")).to_be_visible()
    assert_accessible(page)
