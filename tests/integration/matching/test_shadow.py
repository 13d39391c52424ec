"""A trial of a model changes nothing and tells what it would change."""

from collections.abc import Sequence
from typing import Any

import pytest

from cdp_site.core import impact
from cdp_site.core.impact import Effect
from cdp_site.core.models import User
from ingestion.models import Source
from profiles.matching import run_report, runs, shadow
from profiles.models import BlockKey, LinkDecision, MatchModel, Membership, ReviewPair
from tests.factories.arrivals import arrive, identify, row, track
from tests.factories.matching import FakeMatcher, activate, make_model, match

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}


def state() -> tuple[Any, ...]:
    tables = (BlockKey, LinkDecision, ReviewPair)
    current = Membership.objects.filter(valid_to=None).order_by("record")
    return (*(table._default_manager.count() for table in tables), list(current.values_list("record", "profile")))


def test_it_says_whom_a_model_would_join(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), track("Page Viewed", "u1"))
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA))
    before = state()
    run = match(trial_of=make_model(FakeMatcher()))
    assert state() == before
    assert (run.status, run.kind, run.everything) == ("done", "shadow", True)
    assert {name: run.report.get(name) for name in ("records", "keys", "pairs", "links", "reviews")} == {
        "records": 3,
        "keys": 3,
        "pairs": 3,
        "links": 1,
        "reviews": 1,
    }
    foreseen = shadow.foresee(run)
    assert foreseen is not None
    assert (foreseen.changes, foreseen.looked_at, foreseen.is_sample) == (1, 1, False)
    assert (foreseen.consequences.customers_before, foreseen.consequences.customers_after) == (2, 1)
    assert state() == before


def test_it_says_whom_a_model_would_part(web_shop: Source, pos: Source) -> None:
    arrive(pos, row("p1", **SUDA, **BORN))
    arrive(web_shop, identify("u1", **SUDA, **BORN), track("Page Viewed", "u1"), track("Page Viewed", "u1"))
    activate()
    runs.run(str(runs.start(by="system:test").pk))
    before = state()
    run = match(trial_of=make_model(FakeMatcher(birth_dates=(-9.0, -9.0))))
    assert state() == before
    assert (run.report["withdrawn"], run.report.get("links", 0)) == (1, 0)
    foreseen = shadow.foresee(run)
    assert foreseen is not None
    following = foreseen.consequences
    assert (following.customers_before, following.customers_after, following.touchpoints) == (1, 2, 2)
    attempt_again = match(trial_of=MatchModel.objects.exclude(status="active").get())
    assert attempt_again.report["withdrawn"] == 1


def test_what_follows_is_told_by_whoever_previews_merges(
    web_shop: Source, pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def preview(before: Sequence[frozenset[int]], after: Sequence[frozenset[int]]) -> list[Effect]:
        return [Effect("Newsletter", f"{len(before)} become {len(after)}", is_loss=True)]

    monkeypatch.setattr(impact, "_previews", [preview])
    for person in range(3):
        named = {"first_name": "Suda", "last_name": "Rak" + "d" * (person + 1), **BORN}
        arrive(web_shop, identify(f"u{person}", **named))
        arrive(pos, row(f"p{person}", **named))
    foreseen = shadow.foresee(match(trial_of=make_model(FakeMatcher())))
    assert foreseen is not None
    assert foreseen.consequences.effects == [Effect("Newsletter", "6 become 3", is_loss=True)]


def test_many_changes_are_sampled_evenly(pos: Source) -> None:
    """Ten customers with two records each, two looked at."""
    for person in range(10):
        named = {"first_name": "Suda", "last_name": "Rak" + "d" * person, **BORN}
        arrive(pos, row(f"a{person}", **named), row(f"b{person}", **named))
    run = match(trial_of=make_model(FakeMatcher()))
    foreseen = shadow.foresee(run, sample=2)
    assert foreseen is not None
    assert (foreseen.changes, foreseen.looked_at, foreseen.is_sample) == (10, 2, True)
    assert (foreseen.consequences.customers_before, foreseen.consequences.customers_after) == (4, 2)


def test_nothing_follows_from_nothing(pos: Source) -> None:
    arrive(pos, row("p1", **SUDA))
    assert shadow.foresee(match(trial_of=make_model(FakeMatcher()))) is None


def test_a_trial_that_was_interrupted_makes_its_keys_again(pos: Source) -> None:
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA, **BORN), row("p3", **SUDA, birth_date="1971-12-24"))
    begun = runs.start(by="system:test", trial_of=make_model(FakeMatcher()))
    rounds = 1
    while not runs.carry_on(begun.pk, until=0):
        rounds += 1
    begun.refresh_from_db()
    assert (begun.status, begun.report["links"], begun.report["keys"]) == ("done", 1, 3)
    assert rounds > 2


def test_the_changes_are_listed_by_name(steward: User, web_shop: Source, pos: Source) -> None:
    for person in range(3):
        named = {"first_name": "Suda", "last_name": "Rak" + "d" * (person + 1), **BORN}
        arrive(web_shop, identify(f"u{person}", **named))
        arrive(pos, row(f"p{person}", **named))
    run = match(trial_of=make_model(FakeMatcher()))
    first = run_report.page(run, "link", by=steward, size=2)
    assert [(one.left.name, one.right.name, one.percent) for one in first.rows] == [
        ("Suda Rakd", "Suda Rakd", 99),
        ("Suda Rakdd", "Suda Rakdd", 99),
    ]
    assert first.next is not None
    rest = run_report.page(run, "link", by=steward, after=first.next, size=2)
    assert ([one.right.name for one in rest.rows], rest.next) == (["Suda Rakddd"], None)


def test_names_of_sources_that_the_reader_may_not_see_are_not_told(
    analyst: User, care: Any, web_shop: Source, call_centre: Source
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(call_centre, identify("c1", **SUDA, **BORN))
    run = match(trial_of=make_model(FakeMatcher()))
    [only] = run_report.page(run, "link", by=analyst).rows
    sides = {side.source.slug: side.name for side in (only.left, only.right) if side.source is not None}
    assert sides == {"web": "Suda Rakdee"}


def test_a_listing_costs_the_same_however_long_it_is(
    steward: User, pos: Source, django_assert_max_num_queries: Any
) -> None:
    for person in range(8):
        named = {"first_name": "Suda", "last_name": "Rak" + "d" * person, **BORN}
        arrive(pos, row(f"a{person}", **named), row(f"b{person}", **named))
    run = match(trial_of=make_model(FakeMatcher()))
    with django_assert_max_num_queries(10):
        assert len(run_report.page(run, "link", by=steward).rows) == 8
