"""Several stewards at once: nobody is shown what a colleague is shown, and of two verdicts on a pair one is taken."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import Role, User
from ingestion.models import Source
from profiles import rebuild
from profiles.matching import review, settling
from profiles.matching.labels import Verdict
from profiles.models import LinkDecision, MatchLabel, ReviewPair, SourceRecord
from tests.factories.arrivals import arrive, row

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE, PAIRS = 4, 12


@pytest.fixture
def stewards(make_user: Callable[..., User]) -> list[User]:
    return [make_user(Role.STEWARD, name=f"steward-{n}") for n in range(PEOPLE)]


@pytest.fixture
def pairs(pos: Source) -> list[ReviewPair]:
    arrive(pos, *(row(f"P{n}", first_name=f"Ann{n}") for n in range(2 * PAIRS)))
    records = list(SourceRecord.objects.order_by("pk"))
    return [
        ReviewPair.objects.create(record_a=a, record_b=b, reason="band", score=0.4 + n / 50, worth=n % 3)
        for n, (a, b) in enumerate(zip(records[::2], records[1::2], strict=True))
    ]


def together(work: Callable[[User], Any], people: list[User]) -> list[Any]:
    """Everybody does it at the same moment, each over a connection of their own."""
    start = Barrier(len(people))

    def run(user: User) -> Any:
        try:
            start.wait()
            return work(user)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(run, people))


@pytest.mark.parametrize("order", review.Order)
def test_nobody_is_shown_what_a_colleague_is_shown(
    stewards: list[User], pairs: list[ReviewPair], order: review.Order
) -> None:
    shown = together(lambda user: review.claim(by=user, most=4, order=order), stewards)
    numbers = [pair.pk for of_person in shown for pair in of_person]
    assert len(numbers) == len(set(numbers))
    assert all(
        ReviewPair.objects.get(pk=pair.pk).claimed_by == user
        for user, of in zip(stewards, shown, strict=True)
        for pair in of
    )


def test_of_verdicts_at_the_same_moment_one_is_taken(stewards: list[User], pairs: list[ReviewPair]) -> None:
    def decide(user: User) -> str:
        verdict = Verdict.SAME if user.pk % 2 else Verdict.DIFFERENT
        try:
            settling.decide(pair_id=pairs[0].pk, verdict=verdict, by=user)
        except ConflictProblem:
            return "late"
        return "taken"

    assert sorted(together(decide, stewards)) == ["late"] * (PEOPLE - 1) + ["taken"]
    assert MatchLabel.objects.count() == LinkDecision.objects.filter(kind="steward").count() == 1
    assert rebuild.check() == []
