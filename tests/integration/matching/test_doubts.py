"""A run asks about each two customers once, however many of their records are alike and however they hang together."""

from typing import Any

import pytest

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import merging
from profiles.matching import batch, deciding, runs
from profiles.matching.run_report import Report
from profiles.models import MatchLabel, MatchRun, Membership, ReviewPair, ScoredPair, SourceRecord
from profiles.resolution import pipeline
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import FakeMatcher, activate, make_model, match

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}


def asked(run: MatchRun) -> list[tuple[str, str]]:
    rows = run.changes.filter(action="review").order_by("pk")
    return list(rows.values_list("record_a__external_id", "record_b__external_id"))


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def test_what_hangs_together_by_doubts_alone_is_not_decided_together(
    pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company has thousands who share a name: they are no component, and are asked about a few at a time."""
    arrive(pos, *(row(f"p{number}", **SUDA) for number in range(6)))
    activate()
    phases: list[str] = []
    monkeypatch.setattr(batch, "DOUBTS_AT_ONCE", 2)
    begun = runs.start(by="system:test", everything=True)
    runs.carry_on(begun.pk, listen=lambda run: phases.append(run.phase))
    assert phases == ["keys", "scoring", *["asking"] * 5]
    begun.refresh_from_db()
    assert (begun.status, begun.report["reviews"], begun.report.get("links", 0)) == ("done", 15, 0)
    assert ReviewPair.objects.filter(state="waiting").count() == 15


def test_of_two_customers_their_likeliest_records_are_asked_about(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN, postcode="10110"), row("p2", **SUDA, postcode="10110"))
    activate(FakeMatcher(postcodes=(0.5, -0.5)))
    run = match(everything=True)
    assert (run.report["links"], asked(run)) == (1, [("p1", "p2")])


def test_the_likeliest_are_asked_about_however_many_there_are(
    web_shop: Source, pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **SUDA, **BORN))
    arrive(pos, *(row(f"p{number}", **SUDA) for number in range(4)), row("p4", **SUDA, postcode="10110"))
    arrive(pos, row("p5", **SUDA, postcode="10110"))
    activate(FakeMatcher(postcodes=(0.5, -0.5)))
    monkeypatch.setattr(batch, "MOST_ASKED", 3)
    run = match(everything=True)
    # Held back by a guard rail, then the likeliest, then whoever comes first.
    assert (run.report["held_back"], asked(run)) == (1, [("u1", "p0"), ("p4", "p5")])
    assert run.report["unasked"] == 7 * 8 // 2 - 3
    assert Report(run).looked_at[-1].number == run.report["unasked"]


def test_a_trial_asks_about_customers_as_they_would_be(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA))
    activate()
    real = match(everything=True)
    assert (real.report["links"], asked(real)) == (1, [("u1", "p2")])
    ReviewPair.objects.all().delete()
    parting = make_model(FakeMatcher(birth_dates=(-9.0, -9.0)))
    trial = match(trial_of=parting)
    assert (trial.report["withdrawn"], asked(trial)) == (1, [("u1", "p2"), ("p1", "p2")])
    assert not ReviewPair.objects.exists()


def test_what_a_person_keeps_apart_is_not_asked(steward: User, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA))
    merging.refuse(records=(record("p1"), record("p2")), by=steward, reason="Mother and daughter.")
    activate()
    run = match(everything=True)
    assert (run.report["links"], asked(run)) == (1, [])


def test_an_answer_that_comes_while_the_run_plans_holds(
    steward: User, web_shop: Source, pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    activate()
    real_lock = pipeline.take_merge_lock

    def lock() -> None:
        pair = {"record_a_id": record("u1"), "record_b_id": record("p1")}
        MatchLabel.objects.get_or_create(**pair, verdict="different", origin="review", by=steward)
        real_lock()

    monkeypatch.setattr(deciding.pipeline, "take_merge_lock", lock)
    run = match(everything=True)
    assert run.report.get("links", 0) == 0
    assert Membership.objects.filter(valid_to=None).values("profile").distinct().count() == 2


def test_nothing_of_a_run_is_left_but_its_report(pos: Source) -> None:
    arrive(pos, row("p1", **SUDA), row("p2", **SUDA))
    activate()
    match(everything=True)
    assert not ScoredPair.objects.exists()
