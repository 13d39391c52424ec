"""The pages of runs: for stewards alone, with a button, progress, a report and what a trial would change."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core import jobs
from cdp_site.core.models import User
from ingestion.models import Source
from profiles.matching import runs
from profiles.models import MatchRun
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import FakeMatcher, activate, make_model

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}
Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", lambda job, argument: found.append(f"{job} {argument}"))
    return found


@pytest.fixture
def pages(login: Login, steward: User) -> Client:
    client = login(steward)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def twins(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA))


def ended(run: MatchRun) -> MatchRun:
    runs.run(str(run.pk))
    run.refresh_from_db()
    return run


def addresses(run: MatchRun) -> list[str]:
    named = ("match_run", "match_progress", "match_cancel", "match_foreseen")
    of_run = [reverse(f"profiles:{name}", args=[run.pk]) for name in named]
    whole = [reverse("profiles:match_runs"), reverse("profiles:match_start")]
    return [*whole, *of_run, reverse("profiles:match_changes", args=[run.pk, "link"])]


def test_they_are_for_stewards(login: Login, outsider: User, agent: User, marketer: User) -> None:
    run = runs.start(by="system:test", trial_of=make_model(FakeMatcher()))
    for user in (outsider, agent, marketer):
        for address in addresses(run):
            assert login(user).get(address).status_code == 404
            assert login(user).post(address).status_code == 404
    run.refresh_from_db()
    assert not run.cancel_asked


def test_without_a_model_it_says_what_to_do(pages: Client) -> None:
    page = pages.get(reverse("profiles:match_runs")).content.decode()
    assert "No model of matching is in use" in page
    assert "No runs yet" in page
    assert "Match what changed" not in page


def test_the_button_starts_a_run(pages: Client, steward: User, enqueued: list[str]) -> None:
    activate()
    page = pages.get(reverse("profiles:match_runs")).content.decode()
    assert "Match what changed" in page
    answer = pages.post(reverse("profiles:match_start"), {"everything": "1"})
    run = MatchRun.objects.get()
    assert answer["Location"] == reverse("profiles:match_run", args=[run.pk])
    assert (run.everything, run.started_by) == (True, f"user:{steward.pk}")
    assert enqueued == [f"{runs.JOB} {run.pk}"]
    page = pages.get(reverse("profiles:match_runs")).content.decode()
    assert "Match what changed" not in page
    again = pages.post(reverse("profiles:match_start"), follow=True).content.decode()
    assert "A run of matching is going on already." in again
    assert MatchRun.objects.count() == 1


def test_a_run_that_goes_on_is_not_called_an_erasure_in_thai(pages: Client) -> None:
    """Other things that run are erasures: their Thai word for it is no word for matching."""
    runs.start(by="system:test", trial_of=make_model(FakeMatcher()))
    MatchRun.objects.update(status="running")
    pages.cookies["django_language"] = "th"
    page = pages.get(reverse("profiles:match_runs")).content.decode()
    assert "กำลังทำงาน" in page
    assert "กำลังลบ" not in page


def test_a_running_run_asks_again_and_can_be_cancelled(pages: Client) -> None:
    activate()
    run = runs.start(by="system:test")
    page = pages.get(reverse("profiles:match_run", args=[run.pk])).content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert "Cancel the run" in page
    pages.post(reverse("profiles:match_cancel", args=[run.pk]))
    ended(run)
    assert run.status == "cancelled"
    fragment = pages.get(reverse("profiles:match_progress", args=[run.pk]), headers={"HX-Request": "true"})
    assert "every 1s" not in fragment.content.decode()
    assert "<html" not in fragment.content.decode()


def test_the_report_counts_and_lists(pages: Client, twins: None) -> None:
    activate()
    run = ended(runs.start(by="system:test"))
    page = pages.get(reverse("profiles:match_run", args=[run.pk])).content.decode()
    listing = reverse("profiles:match_changes", args=[run.pk, "link"])
    assert listing in page
    assert reverse("profiles:match_changes", args=[run.pk, "withdraw"]) not in page
    rows = pages.get(listing).content.decode()
    assert rows.count("Suda Rakdee") == 2
    assert "99 %" in rows
    asked = pages.get(reverse("profiles:match_changes", args=[run.pk, "review"])).content.decode()
    assert "The model is not sure" in asked
    assert "Nothing here" in pages.get(reverse("profiles:match_changes", args=[run.pk, "withdraw"])).content.decode()


def test_a_trial_says_what_would_follow(pages: Client, twins: None) -> None:
    model = make_model(FakeMatcher())
    page = pages.get(reverse("profiles:match_runs")).content.decode()
    assert f'value="{model.pk}"' in page
    pages.post(reverse("profiles:match_start"), {"trial_of": str(model.pk)})
    run = ended(MatchRun.objects.get())
    assert run.kind == "shadow"
    page = pages.get(reverse("profiles:match_run", args=[run.pk])).content.decode()
    assert "Would join" in page
    assert reverse("profiles:match_foreseen", args=[run.pk]) in page
    follows = pages.get(reverse("profiles:match_foreseen", args=[run.pk]), headers={"HX-Request": "true"})
    assert "Customers before" in follows.content.decode()


def test_what_does_not_exist_is_not_found(pages: Client, twins: None) -> None:
    activate()
    run = ended(runs.start(by="system:test"))
    for address in (
        reverse("profiles:match_run", args=[uuid4()]),
        reverse("profiles:match_foreseen", args=[run.pk]),
        reverse("profiles:match_changes", args=[run.pk, "other"]),
        reverse("profiles:match_changes", args=[run.pk, "link"]) + "?after=x",
    ):
        assert pages.get(address).status_code == 404
    for number in ("x", "999999", "9" * 30):
        assert pages.post(reverse("profiles:match_start"), {"trial_of": number}).status_code == 404


def test_a_failed_run_says_why(pages: Client) -> None:
    activate()
    run = runs.start(by="system:test")
    MatchRun.objects.filter(pk=run.pk).update(status="failed", problem="gave_up")
    page = pages.get(reverse("profiles:match_run", args=[run.pk])).content.decode()
    assert "stopped again and again" in page
