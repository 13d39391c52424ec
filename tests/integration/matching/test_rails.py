"""Guard rails of a run: what the model is sure of and no run joins by itself is asked, and told in the report."""

from typing import Any

import pytest

from ingestion.models import Source
from profiles.matching import rails
from profiles.matching.rails import Guard, Limits
from profiles.models import LinkDecision, MatchRun, Membership, ReviewPair
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import activate, match

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}


def people() -> int:
    return Membership.objects.filter(valid_to=None).values("profile").distinct().count()


def held(run: MatchRun) -> list[tuple[str, str, str]]:
    rows = run.changes.filter(action="held_back").order_by("pk")
    return list(rows.values_list("record_a__external_id", "record_b__external_id", "guard"))


def test_two_users_of_one_shop_are_asked_about(web_shop: Source) -> None:
    """Who registered twice has two ids of one namespace: so have two people."""
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **SUDA, **BORN))
    activate()
    run = match()
    assert (people(), held(run)) == (2, [("u1", "u2", "two_ids")])
    assert run.report["guard_two_ids"] == run.report["held_back"] == 1
    [pair] = ReviewPair.objects.all()
    assert (pair.state, pair.reason) == ("waiting", "guard")
    assert not LinkDecision.objects.filter(kind="model").exists()


def test_a_third_record_does_not_bring_two_users_together(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    activate()
    run = match()
    assert (people(), run.report["links"]) == (2, 1)
    assert [guard for _a, _b, guard in held(run)] == ["two_ids"]


def test_the_largest_customer_has_its_limit(pos: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rails.obstacle, "__kwdefaults__", {"limits": Limits(records=3)})
    arrive(pos, *(row(f"p{number}", **SUDA, **BORN) for number in range(5)))
    activate()
    run = match()
    assert people() == 2
    assert {guard for _a, _b, guard in held(run)} == {Guard.LARGEST}


def test_what_was_held_back_is_told_again_but_asked_once(web_shop: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **SUDA, **BORN))
    activate()
    match()
    first = ReviewPair.objects.get()
    again = match(everything=True)
    assert held(again) == [("u1", "u2", "two_ids")]
    assert ReviewPair.objects.get().pk == first.pk


def test_what_people_settled_is_not_held_back_again(web_shop: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **SUDA, **BORN))
    activate()
    match()
    ReviewPair.objects.update(state="settled")
    again = match(everything=True)
    assert (held(again), ReviewPair.objects.get().state) == ([], "settled")
