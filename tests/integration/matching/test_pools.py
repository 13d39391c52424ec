"""What a model learns from, and which questions are asked about it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from cdp_site.core import jobs
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles.matching import labels, pools
from profiles.models import MatchLabel, ReviewPair
from profiles.resolution import decision_log
from profiles.resolution.decision_log import NewDecision
from tests.customers import Tell
from tests.factories.doubles import Doubles, answer_all, say, tell_of_doubles

pytestmark = pytest.mark.django_db


@pytest.fixture
def doubles(tell: Tell, web_shop: Source, pos: Source) -> Doubles:
    return tell_of_doubles(tell, web_shop, pos, people=60)


def _questions() -> set[tuple[int, int]]:
    return set(ReviewPair.objects.values_list("record_a_id", "record_b_id"))


def test_the_pool_knows_what_identifiers_have_settled(doubles: Doubles) -> None:
    pool = pools.build()
    assert len(pool.records) == 120
    assert pool.share == 1
    assert pool.sure == doubles.sure
    assert doubles.sure <= pool.asked


def test_out_of_a_large_stock_the_pool_is_drawn_with_the_neighbours(
    doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MOST_READ", 50)
    monkeypatch.setattr(pools, "SEEDS", 120)  # every block of the table: small tables have one or two
    pool = pools.build()
    found = {pair for pair in doubles.pairs if set(pair) <= pool.records.keys()}
    assert len(found) > 50
    assert 0 < pool.share <= 1
    monkeypatch.setattr(pools, "_DRAW", "SELECT id FROM profiles_sourcerecord WHERE %s < %s + 1000 AND id %% 6 = 0")
    pool = pools.build()
    seeds = {number for pair in doubles.pairs for number in pair if number % 6 == 0}
    assert seeds <= pool.records.keys()
    with_seed = [pair for pair in doubles.pairs if seeds & set(pair)]
    # The other record of a seed is near by its e-mail address or by both words of its name in any spelling.
    assert sum(set(pair) <= pool.records.keys() for pair in with_seed) >= 0.8 * len(with_seed)
    assert pool.share < 1


def test_the_first_questions_come_without_any_label_and_some_are_pairs(doubles: Doubles) -> None:
    found = pools.ask()
    assert found.training == pools.QUESTIONS_AT_ONCE
    assert 0 < found.held_out <= pools.HELD_OUT
    asked = _questions()
    assert not asked & doubles.sure
    assert len(asked & set(doubles.pairs)) >= 10
    learning = ReviewPair.objects.filter(reason="training")
    assert {(one.record_a_id, one.record_b_id) in doubles.pairs for one in learning} == {True, False}


def test_blind_questions_show_no_score_and_stand_for_others(doubles: Doubles) -> None:
    pools.ask()
    blind = ReviewPair.objects.filter(reason="held_out")
    assert all(one.is_held_out and one.score is None and one.weight >= 1 for one in blind)
    assert not any(one.is_held_out or one.score is None for one in ReviewPair.objects.filter(reason="training"))


def test_a_pair_is_never_asked_twice_and_not_what_a_person_has_decided(doubles: Doubles, steward: User) -> None:
    decided = next(pair for pair in doubles.pairs if pair not in doubles.sure)
    decision_log.append([NewDecision("never", "steward", *reversed(decided))], actor="user:1")
    known = next(pair for pair in reversed(doubles.pairs) if pair not in doubles.sure)
    say(steward, known, same=True)
    pools.ask()
    first = _questions()
    assert decided not in first
    assert known not in first
    answer_all(steward, doubles)
    pools.ask()
    second = _questions() - first
    assert second
    assert ReviewPair.objects.count() == len(_questions())
    assert not ReviewPair.objects.filter(reason="held_out").exclude(state="settled").exists()


def test_the_chore_asks_when_few_wait_and_only_once_people_have_begun(doubles: Doubles, steward: User) -> None:
    assert pools.top_up() == 0
    assert not _questions()
    pools.ask()
    assert pools.top_up() == 0
    ReviewPair.objects.filter(pk__in=ReviewPair.objects.order_by("pk")[:70].values("pk")).update(state="settled")
    assert pools.waiting() < pools.LEAST_WAITING
    assert pools.top_up() == 0  # nothing has been answered since the last search
    say(steward, doubles.pairs[1], same=True)
    assert pools.top_up() > 0
    assert pools.waiting() >= pools.LEAST_WAITING


def test_one_steward_alone_is_asked_on_while_blind_pairs_wait_for_a_second(doubles: Doubles, steward: User) -> None:
    pools.ask()
    for pair in ReviewPair.objects.order_by("pk"):
        ends = (pair.record_a_id, pair.record_b_id)
        say(steward, ends, same=ends in doubles.pairs)
    ReviewPair.objects.filter(is_held_out=False).update(state="settled")
    assert ReviewPair.objects.filter(state="waiting").count() >= pools.LEAST_WAITING
    assert pools.waiting() == 0
    assert pools.top_up() > 0
    assert pools.waiting() >= pools.LEAST_WAITING


def test_with_enough_labels_the_chore_asks_no_more(
    doubles: Doubles, steward: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools.ask()
    answer_all(steward, doubles)
    monkeypatch.setattr(pools, "ENOUGH_LABELS", 10)
    assert pools.top_up() == 0
    MatchLabel.objects.update(undone_at=timezone.now())
    assert pools.top_up() > 0


def test_two_searches_at_once_are_one(doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Callable[..., list[Any]] = pools._rows

    def without_the_lock(statement: str, parameters: Any = ()) -> list[Any]:
        return [(False,)] if "try_advisory" in statement else rows(statement, parameters)

    monkeypatch.setattr(pools, "_rows", without_the_lock)
    assert pools.ask() == pools.Found(0, 0, 0)
    assert not _questions()


def test_an_empty_stock_has_no_questions(db: None) -> None:
    assert pools.ask() == pools.Found(0, 0, 0)
    assert pools.last_search() == {"state": "done", "training": 0, "held_out": 0, "records": 0, "after": [0, 0]}


def test_a_person_begins_and_the_search_is_a_job(steward: User, monkeypatch: pytest.MonkeyPatch) -> None:
    enqueued: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", enqueued.append)
    pools.begin(by=steward)
    assert enqueued == ["profiles.matching.pools.ask"]
    assert pools.last_search() == {"state": "searching"}
    assert AuditEvent.objects.get(action="match.ask").actor == f"user:{steward.pk}"


def test_answers_of_all_questions_are_labels_to_learn_from(doubles: Doubles, steward: User) -> None:
    pools.ask()
    answer_all(steward, doubles)
    counts = labels.counts()
    assert counts.same >= 5
    assert counts.different >= 5
    assert counts.held_out_same + counts.held_out_different == ReviewPair.objects.filter(is_held_out=True).count()
