"""What old runs changed is listed no more: the run keeps its figures and says so, and can still be rolled back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles.matching import forgetting, rollback, runs
from profiles.models import LinkDecision, MatchChange, MatchModel, MatchRun
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import FakeMatcher, activate, make_model

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee", "birth_date": "1990-04-01"}
Login = Callable[[User], Client]


@pytest.fixture
def pages(login: Login, steward: User) -> Client:
    client = login(steward)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def model(web_shop: Source, pos: Source) -> MatchModel:
    """In use; it has two records to join."""
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA))
    return activate()


def ran(*, days_ago: float, trial_of: MatchModel | None = None) -> MatchRun:
    begun = runs.start(by="system:test", trial_of=trial_of)
    runs.run(str(begun.pk))
    MatchRun.objects.filter(pk=begun.pk).update(ended_at=timezone.now() - timedelta(days=days_ago))
    begun.refresh_from_db()
    return begun


def ten_later() -> None:
    MatchRun.objects.bulk_create(
        MatchRun(kind="batch", status="done", started_by="system:test", ended_at=timezone.now()) for _ in range(10)
    )


def test_the_list_goes_and_the_figures_stay(model: MatchModel, pages: Client) -> None:
    run = ran(days_ago=91)
    ten_later()
    figures = run.report
    assert forgetting.forget_old() == 1
    run.refresh_from_db()
    assert not run.changes.exists()
    assert {name: run.report[name] for name in figures} == figures
    [event] = AuditEvent.objects.filter(action="match.run_forget")
    assert (event.actor, event.target_id, event.fields) == ("system:matching", str(run.pk), ["changes"])
    page = pages.get(reverse("profiles:match_run", args=[run.pk])).content.decode()
    assert "The list was kept until" in page
    listing = reverse("profiles:match_changes", args=[run.pk, "link"])
    assert listing not in page
    listed = pages.get(listing).content.decode()
    assert "The list was kept until" in listed
    assert "The run has no such change." not in listed
    assert forgetting.forget_old() == 0


def test_of_runs_that_ended_last_it_is_kept(model: MatchModel, pages: Client) -> None:
    run = ran(days_ago=500)
    assert forgetting.forget_old() == 0
    page = pages.get(reverse("profiles:match_run", args=[run.pk])).content.decode()
    assert reverse("profiles:match_changes", args=[run.pk, "link"]) in page
    assert "The list was kept until" not in page


def test_of_a_run_of_late_it_is_kept(model: MatchModel) -> None:
    ran(days_ago=89)
    ten_later()
    assert forgetting.forget_old() == 0


def test_a_trial_does_not_say_that_nothing_would_follow(model: MatchModel, pages: Client) -> None:
    trial = ran(days_ago=100, trial_of=make_model(FakeMatcher()))
    ten_later()
    assert forgetting.forget_old() == 1
    foreseen = reverse("profiles:match_foreseen", args=[trial.pk])
    assert foreseen not in pages.get(reverse("profiles:match_run", args=[trial.pk])).content.decode()
    page = pages.get(foreseen).content.decode()
    assert "The list was kept until" in page
    assert "Nothing would change" not in page


def test_half_a_list_is_not_shown_and_the_next_time_the_rest_goes(
    model: MatchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ran(days_ago=100)
    change = run.changes.get()
    MatchChange.objects.bulk_create(
        MatchChange(run=run, action="link", record_a_id=change.record_a_id, record_b_id=change.record_b_id)
        for _ in range(4)
    )
    ten_later()
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    remove, portions = forgetting._remove, []

    def killed(run_id: Any) -> int:
        if len(portions) == 1:
            raise KeyboardInterrupt
        portions.append(remove(run_id))
        return portions[-1]

    with monkeypatch.context() as patched:
        patched.setattr(forgetting, "_remove", killed)
        with pytest.raises(KeyboardInterrupt):
            forgetting.forget_old()
    run.refresh_from_db()
    until = forgetting.listed_until(run)
    assert (run.changes.count(), until is not None) == (3, True)
    assert forgetting.forget_old() == 3
    run.refresh_from_db()
    assert forgetting.listed_until(run) == until
    assert AuditEvent.objects.filter(action="match.run_forget").count() == 1


def test_a_rollback_does_not_need_it(model: MatchModel, steward: User) -> None:
    ran(days_ago=91)
    ten_later()
    assert forgetting.forget_old() == 1
    assert LinkDecision.objects.filter(kind="model", action="link").count() == 1
    assert rollback.foresee(model).withdrawn == 1
    taken_back = rollback.start(model=model, by=steward)
    rollback.run(str(taken_back.pk))
    taken_back.refresh_from_db()
    assert (taken_back.status, taken_back.report["withdrawn"]) == ("done", 1)
