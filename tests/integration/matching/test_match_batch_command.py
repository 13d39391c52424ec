"""`manage.py match_batch`: a run from the terminal, with its report and an exit code that can be relied on."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingestion.models import Source
from profiles.matching import runs
from profiles.models import LinkDecision, MatchRun
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import FakeMatcher, activate, make_model

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee", "birth_date": "1990-04-01"}


@pytest.fixture(autouse=True)
def twins(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA))


def told(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("match_batch", *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_it_matches_and_reports() -> None:
    activate()
    report = told()
    assert (report["status"], report["records"], report["links"]) == ("done", 2, 1)
    assert MatchRun.objects.get().started_by == "system:match_batch"
    assert (told().get("records", 0), told("--everything")["records"]) == (0, 2)


def test_a_trial_changes_nothing() -> None:
    model = make_model(FakeMatcher())
    assert told("--shadow", str(model.version))["links"] == 1
    assert not LinkDecision.objects.exists()


def test_what_was_broken_off_is_gone_on_with() -> None:
    activate()
    begun = runs.start(by="system:test", in_job=False)
    assert not runs.carry_on(begun.pk, until=0)
    report = told()
    assert (report["run"], report["links"]) == (str(begun.pk), 1)
    assert MatchRun.objects.count() == 1


def test_it_says_why_it_cannot_begin() -> None:
    with pytest.raises(CommandError, match="No model of matching is in use"):
        told()
    with pytest.raises(CommandError, match="no model 7 that could be tried"):
        told("--shadow", "7")
    model = make_model(FakeMatcher())
    activate()
    runs.start(by="system:test", trial_of=model, in_job=False)
    with pytest.raises(CommandError, match="Another run of matching is going on"):
        told()


def test_it_fails_when_the_run_does() -> None:
    activate()
    begun = runs.start(by="system:test", in_job=False)
    MatchRun.objects.filter(pk=begun.pk).update(cancel_asked=True)
    with pytest.raises(CommandError, match="ended as cancelled"):
        told()
